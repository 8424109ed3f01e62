/** Where something stands in a configuration: keys and indexes from the outermost inwards. */
export type Path = readonly (string | number)[];

/** Whether `path` is one of `places`, or below one. */
export function isWithin(path: Path, places: readonly Path[]): boolean {
  return places.some((place) => place.every((key, index) => path[index] === key));
}

/** Where something stands in a configuration: keys and indexes from the outermost inwards. */
export type Path = readonly (string | number)[];

/** What stands in for whatever is required and cannot be used, the innermost first; it is never run. */
const standIns: readonly (readonly [pattern: Path, value: unknown])[] = [
  [["access", "*", "subjects", "*"], "authenticated"],
  [["access", "*", "subjects"], ["authenticated"]],
  [["access", "*", "repositories", "*"], "**"],
  [["access", "*", "repositories"], ["**"]],
  [["access", "*", "actions", "*"], "pull"],
  [["access", "*", "actions"], ["pull"]],
  [["access", "*"], { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] }],
  [["auth", "backends", "*"], { type: "nothing" }],
  [["auth", "backends"], [{ type: "nothing" }]],
  [["auth"], { backends: [{ type: "nothing" }] }],
  [["listen", "address"], "127.0.0.1:0"],
  [["listen"], { address: "127.0.0.1:0" }],
  [["upstream", "url"], "http://127.0.0.1"],
  [["upstream"], { url: "http://127.0.0.1" }],
];

/**
 * Takes out of a configuration whatever is at fault, so that the rest of it can be judged in the same run.
 *
 * @returns the rest, and where it was touched: what is found there later says nothing about the original.
 */
export function mend(
  value: unknown,
  faultAt: (value: unknown) => Path | undefined,
): { rest: unknown; touched: Path[] } {
  const rest = structuredClone(value);
  const touched: Path[] = [];
  // Each fault is met once at its own place, and perhaps once more where taking it out left a gap.
  for (let path = faultAt(rest); path !== undefined; path = faultAt(rest)) {
    const place = mendAt(rest, path);
    if (place === undefined || touched.some((before) => isSame(before, place))) return { rest: undefined, touched };
    touched.push(place);
  }
  return { rest, touched };
}

/** Whether `path` is one of `places`, or below one. */
export function isWithin(path: Path, places: readonly Path[]): boolean {
  return places.some((place) => place.every((key, index) => path[index] === key));
}

/** Puts a stand-in in the place of the fault, or takes the fault out; a gap left by that is mended one level up. */
function mendAt(root: unknown, path: Path): Path | undefined {
  const standIn = standIns.find(
    ([pattern]) => pattern.length <= path.length && pattern.every((key, at) => key === "*" || key === path[at]),
  );
  for (let depth = path.length; depth > 0; depth--) {
    const place = path.slice(0, depth);
    if (standIn !== undefined && depth === standIn[0].length) {
      return put(root, place, structuredClone(standIn[1])) ? place : undefined;
    }
    if (remove(root, place)) return place;
  }
  return undefined;
}

function put(root: unknown, path: Path, value: unknown): boolean {
  const [parent, key] = parentOf(root, path);
  if (parent === undefined || key === undefined) return false;
  parent[key] = value;
  return true;
}

function remove(root: unknown, path: Path): boolean {
  const [parent, key] = parentOf(root, path);
  if (parent === undefined || key === undefined || Array.isArray(parent) || !Object.hasOwn(parent, key)) return false;
  delete parent[key];
  return true;
}

function parentOf(
  root: unknown,
  path: Path,
): [Record<string | number, unknown> | undefined, string | number | undefined] {
  let node: unknown = root;
  for (const key of path.slice(0, -1)) node = isContainer(node) ? node[key] : undefined;
  return [isContainer(node) ? node : undefined, path.at(-1)];
}

function isContainer(node: unknown): node is Record<string | number, unknown> {
  return typeof node === "object" && node !== null;
}

function isSame(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index]);
}

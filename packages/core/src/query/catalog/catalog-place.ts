/** Where the reading of the registry's catalog goes on. */
export interface CatalogPlace {
  /** After this name: a registry that is asked by `last`. */
  readonly last?: string;
  /** On the page that the registry itself has named by this query. */
  readonly query?: string;
  /** What of that page comes up to this name was given already. */
  readonly after?: string;
}

/** Whether everybody may be told of the place as `last`: it says no more than the name that was given last. */
export function isPlain({ query, after }: CatalogPlace): boolean {
  return query === undefined && after === undefined;
}

export function isSamePlace(one: CatalogPlace, other: CatalogPlace): boolean {
  return one.last === other.last && one.query === other.query && one.after === other.after;
}

/** Writes a place as text; {@link readPlace} is its inverse. */
export function writePlace({ last, query, after }: CatalogPlace): string {
  return JSON.stringify([last ?? null, query ?? null, after ?? null]);
}

export function readPlace(text: string): CatalogPlace | undefined {
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed)) return undefined;
  const parts: readonly unknown[] = parsed;
  const [last, query, after] = parts.map((part) => (typeof part === "string" ? part : undefined));
  return {
    ...(last !== undefined && { last }),
    ...(query !== undefined && { query }),
    ...(after !== undefined && { after }),
  };
}

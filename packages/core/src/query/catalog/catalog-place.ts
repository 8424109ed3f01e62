/** A position in the registry's catalog. */
export interface CatalogPlace {
  /** After this name, for the parameter `last`. */
  readonly last?: string;
  /** On the page that the registry named by this query in its `Link`. */
  readonly query?: string;
  /** Names of that page up to this one were already returned. */
  readonly after?: string;
}

/** Whether the position may be sent unsealed as `last`: it reveals no more than the last returned name. */
export function isPlain({ query, after }: CatalogPlace): boolean {
  return query === undefined && after === undefined;
}

export function isSamePlace(one: CatalogPlace, other: CatalogPlace): boolean {
  return one.last === other.last && one.query === other.query && one.after === other.after;
}

/** Formats a position as text; {@link readPlace} is its inverse. */
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

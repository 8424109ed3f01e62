import type { Grammar } from "./grammar.ts";

/** The number of cached values of one header. There are few kinds of clients, though some vary the order. */
const mostValues = 128;
/** Longer values are not cached, to bound the memory. */
const longestValue = 1024;

/**
 * A grammar with a cache of its latest results: clients of one kind send the same values, and a lookup takes a tenth of
 * the time of parsing. Clients that vary their values cause evictions, and cost no more than parsing.
 */
export function remembered(grammar: Grammar): Grammar {
  const known = new Map<string, string>();
  return (value) => {
    const before = known.get(value);
    if (before !== undefined) return before;
    const written = grammar(value);
    if (written !== undefined && value.length <= longestValue) {
      if (known.size >= mostValues) known.clear();
      known.set(value, written);
    }
    return written;
  };
}

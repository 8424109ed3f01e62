import type { Grammar } from "./grammar.ts";

/** How many values are remembered of one header. Clients are of few kinds, though some say the same in any order. */
const mostValues = 128;
/** Longer values are read each time, so that the memory has a bound. */
const longestValue = 1024;

/**
 * The same grammar, which remembers what it made of the last values: clients of one kind all send the same, and to look
 * a value up costs a tenth of reading it. Whoever sends others each time makes it forget, and costs what reading costs.
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

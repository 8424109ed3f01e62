import { type Chain, inBlocks } from "./directives.ts";
import type { Directive } from "./parse.ts";

/** A location of the registry, or of a part of it. */
export interface Location {
  readonly directive: Directive;
  /** The blocks around and inside it. */
  readonly chain: Chain;
  /** What follows `/v2/` of the paths that it serves. */
  readonly prefix: string;
}

export interface Locations {
  /** Of all paths below `/v2/`. */
  readonly base: Location | undefined;
  /** Of some of them. */
  readonly deeper: readonly Location[];
  /** Those that may serve paths below `/v2/` that cannot be told from others. */
  readonly unclear: readonly Directive[];
  /** Those of everything else. */
  readonly outside: readonly Directive[];
}

const root = "/v2/";

/** Sorts the locations of a server by what of the registry they serve (nginx's documentation of `location`). */
export function locationsOf(chain: Chain): Locations {
  const found = flatten(chain);
  const deeper: Location[] = [];
  const unclear: Directive[] = [];
  const outside: Directive[] = [];
  let base: { location: Location; rank: number } | undefined;
  for (const { directive, inner } of found) {
    const { kind, text } = targetOf(directive);
    if (kind === "prefix" && root.startsWith(text)) {
      // The longest prefix wins, and a regular expression before any prefix.
      if (base === undefined || text.length > base.rank) {
        if (base !== undefined) outside.push(base.location.directive);
        base = { location: { directive, chain: inner, prefix: "" }, rank: text.length };
      } else outside.push(directive);
    } else if (kind === "regex" && /^\^\/v2(?:\/?|\(\/\|\$\)|\/\?|\/\.\*\$?|\/\(\.\*\)\$?)$/.test(text)) {
      // The first expression that matches counts.
      if (base?.rank === Number.POSITIVE_INFINITY) outside.push(directive);
      else {
        if (base !== undefined) outside.push(base.location.directive);
        base = { location: { directive, chain: inner, prefix: "" }, rank: Number.POSITIVE_INFINITY };
      }
    } else if (kind === "prefix" && text.startsWith(root)) {
      deeper.push({ directive, chain: inner, prefix: text.slice(root.length) });
    } else if (kind === "exact" && text.startsWith(root)) {
      unclear.push(directive);
    } else if (kind === "regex" && mayMatchBelowRoot(text)) unclear.push(directive);
    else outside.push(directive);
  }
  // A regular expression that matches counts, unless the prefix says that none is to be tried.
  const shadowed = ({ directive }: Location): boolean =>
    base?.rank === Number.POSITIVE_INFINITY && !directive.parameters.join("").startsWith("^~");
  const unused = deeper.filter(shadowed).map(({ directive }) => directive);
  return {
    base: base?.location,
    deeper: deeper.filter((location) => !shadowed(location)),
    unclear,
    outside: [...outside, ...unused],
  };
}

function flatten(chain: Chain): { directive: Directive; inner: Chain }[] {
  const here = chain.at(-1) ?? [];
  return inBlocks(here, "location").flatMap((directive) => {
    const inner = [...chain, directive.block ?? []];
    return [{ directive, inner }, ...flatten(inner)];
  });
}

function targetOf({ parameters }: Directive): { kind: "prefix" | "exact" | "regex" | "named"; text: string } {
  const joined = parameters.join(" ");
  const [, modifier = "", text = ""] = /^(=|~\*|~|\^~)?\s*(.*)$/.exec(joined) ?? [];
  if (text.startsWith("@")) return { kind: "named", text };
  if (modifier === "=") return { kind: "exact", text };
  return modifier.startsWith("~") ? { kind: "regex", text } : { kind: "prefix", text };
}

/** Whether a regular expression begins otherwise than paths of the registry do. */
function mayMatchBelowRoot(pattern: string): boolean {
  const literal = /^\^(\/[A-Za-z0-9_-]*)/.exec(pattern)?.[1];
  if (literal === undefined) return true;
  // What follows may make the last sign optional.
  const certain = literal.slice(0, -1);
  return root.toLowerCase().startsWith(certain.toLowerCase()) || certain.toLowerCase().startsWith(root);
}

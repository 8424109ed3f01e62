import { isRepositoryComponent } from "../route/names.ts";
import { compileWildcard, matchWildcard, type Wildcard } from "./wildcard.ts";

/** A pattern for whole repository names. */
export interface Glob {
  /** Excludes instead of including. */
  readonly negative: boolean;
  /** Whether every repository matches. */
  readonly everything: boolean;
  /** The one repository that matches, where the pattern is a literal name. */
  readonly only: string | undefined;
  /** What every repository that matches begins with; empty where that is not known. */
  readonly prefix: string;
  /** The same of their end. */
  readonly suffix: string;
  /** Whole path segments that every repository that matches has. */
  readonly segments: readonly string[];
  /** @param username The value of `${username}`; without it a pattern with that placeholder matches nothing. */
  matches(repository: string, username: string | undefined): boolean;
}

/** One path segment. */
type Segment = "**" | Wildcard;

const placeholder = "${username}";

/** The fault in a pattern's syntax; `undefined` for a valid one. */
export function globFault(pattern: string): string | undefined {
  const body = pattern.startsWith("!") ? pattern.slice(1) : pattern;
  if (body === "") return "must not be empty";
  for (const segment of body.split("/")) {
    if (segment === "") return "must not have an empty path segment";
    if (segment.includes("**") && segment !== "**") return "** must be a whole path segment";
    if (segment.replaceAll(placeholder, "").includes("$")) return "the one placeholder is ${username}";
  }
  return undefined;
}

/** The path segment of a valid pattern that no repository name can have; `undefined` if every segment can match. */
export function impossibleSegment(pattern: string): string | undefined {
  const body = pattern.startsWith("!") ? pattern.slice(1) : pattern;
  return body
    .split("/")
    .find(
      (segment) =>
        segment !== "**" && !isRepositoryComponent(segment.replaceAll(placeholder, "u").replaceAll("*", "0")),
    );
}

/**
 * Compiles a pattern without a {@link globFault}. It is anchored at both ends: `*` matches within a segment, `**` any
 * number of segments, at the end at least one. `team/**` matches neither `team` nor `team-evil/app`.
 */
export function compileGlob(pattern: string): Glob {
  const negative = pattern.startsWith("!");
  const body = negative ? pattern.slice(1) : pattern;
  const everything = !negative && body === "**";
  const only = /^[^*$]+$/.test(body) ? body : undefined;
  const prefix = /^[^*$]*/.exec(body)?.[0] ?? "";
  // ** in front of a slash may stand for nothing, and the slash with it.
  const suffix = (/[^*}]*$/.exec(body)?.[0] ?? "").replace(/^\//, "");
  const literal = body.split("/").filter((segment) => !/[*$]/.test(segment));
  return { negative, everything, only, prefix, suffix, segments: literal, matches: matcherOf(body, prefix) };
}

/** Most patterns need no more than a comparison. */
function matcherOf(body: string, prefix: string): Glob["matches"] {
  if (body === "**") return () => true;
  if (body === prefix) return (repository) => repository === body;
  if (prefix.endsWith("/") && body === `${prefix}**`) return (repository) => repository.startsWith(prefix);
  const segments = parse(body);
  if (!body.includes(placeholder)) {
    const needed = longestLiteral(segments);
    return (repository) => repository.includes(needed) && matchSegments(segments, repository.split("/"));
  }
  let latest: { readonly username: string; readonly segments: readonly Segment[] } | undefined;
  return (repository, username) => {
    // The name is literal, and one segment: a user named `a/b` or `*` gets no further access.
    if (username === undefined || !isRepositoryComponent(username)) return false;
    if (latest?.username !== username) latest = { username, segments: substitute(segments, username) };
    return matchSegments(latest.segments, repository.split("/"));
  };
}

function parse(body: string): Segment[] {
  return body.split("/").map((segment) => (segment === "**" ? "**" : compileWildcard(segment)));
}

/** What every name that matches has somewhere within one segment: looking for it costs least. */
function longestLiteral(segments: readonly Segment[]): string {
  const literals = segments.flatMap((segment) => (segment === "**" ? [] : segment));
  return literals.reduce((longest, literal) => (literal.length > longest.length ? literal : longest), "");
}

function substitute(segments: readonly Segment[], username: string): Segment[] {
  return segments.map((segment) =>
    segment === "**" ? segment : segment.map((literal) => literal.replaceAll(placeholder, () => username)),
  );
}

/** Backtracking to the latest `**` suffices: an earlier one could only leave it less to match. */
function matchSegments(pattern: readonly Segment[], names: readonly string[]): boolean {
  let at = 0;
  let name = 0;
  let resumeAt = -1;
  let resumeName = 0;
  while (name < names.length) {
    const segment = pattern[at];
    if (segment === "**") {
      if (at === pattern.length - 1) return true;
      resumeAt = ++at;
      resumeName = name;
    } else if (segment !== undefined && matchWildcard(segment, names[name] ?? "")) {
      at++;
      name++;
    } else if (resumeAt !== -1) {
      at = resumeAt;
      name = ++resumeName;
    } else {
      return false;
    }
  }
  return at === pattern.length;
}

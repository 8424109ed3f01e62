import { isRepositoryComponent } from "../route/names.ts";
import { compileWildcard, matchWildcard, type Wildcard } from "./wildcard.ts";

/** A pattern over whole repository names. */
export interface Glob {
  /** Takes away instead of adding. */
  readonly negative: boolean;
  /** Whether every repository matches. */
  readonly everything: boolean;
  /** @param username What `${username}` stands for; without it such a pattern matches nothing. */
  matches(repository: string, username: string | undefined): boolean;
}

/** One path segment. */
type Segment = "**" | Wildcard;

const placeholder = "${username}";

/** What is wrong with a pattern's form; `undefined` if nothing is. */
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

/** The path segment of a well-formed pattern that no repository's name can have; `undefined` if every one can match. */
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
 * Compiles a pattern that {@link globFault} finds nothing wrong with. It is anchored at both ends: `*` matches within a
 * segment, `**` any number of segments, at the end at least one. `team/**` matches neither `team` nor `team-evil/app`.
 */
export function compileGlob(pattern: string): Glob {
  const negative = pattern.startsWith("!");
  const body = negative ? pattern.slice(1) : pattern;
  const personal = body.includes(placeholder);
  const segments = parse(body);
  const everything = !negative && segments.length === 1 && segments[0] === "**";
  return {
    negative,
    everything,
    matches(repository, username) {
      if (everything) return true;
      if (!personal) return matchSegments(segments, repository.split("/"));
      // The name is taken literally, and as one segment: `a/b` or `*` as a user's name gives no further access.
      if (username === undefined || !isRepositoryComponent(username)) return false;
      return matchSegments(substitute(segments, username), repository.split("/"));
    },
  };
}

function parse(body: string): Segment[] {
  return body.split("/").map((segment) => (segment === "**" ? "**" : compileWildcard(segment)));
}

function substitute(segments: readonly Segment[], username: string): Segment[] {
  return segments.map((segment) =>
    segment === "**" ? segment : segment.map((literal) => literal.replaceAll(placeholder, () => username)),
  );
}

/** Going back to the latest `**` alone suffices: an earlier one could only give it less to match. */
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

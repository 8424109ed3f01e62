import { type AccessRule, isRepository } from "@registry-gate/core";

/** The last part of the repositories that an examination pushes to. */
const name = "registry-gate-doctor";

/**
 * Repositories that a user may push to, likeliest first, as far as rules show; each is unlike any that somebody else uses,
 * unless the rules name that one alone.
 *
 * @param access The rules; absent where they are not known.
 */
export function candidateRepositories(username: string, access: readonly AccessRule[] | undefined): readonly string[] {
  const personal = username.toLowerCase();
  const patterns = (access ?? [])
    .filter(({ effect, actions }) => effect !== "deny" && actions.some((action) => action === "push" || action === "*"))
    .flatMap(({ repositories }) => repositories)
    .filter((pattern) => !pattern.startsWith("!"));
  // Those with the most room first: an exact name may be somebody's real repository.
  const written = [...patterns.filter((pattern) => pattern.includes("*")), ...patterns].map((pattern) =>
    fillIn(pattern.replaceAll("${username}", () => username)),
  );
  const guesses = [name, `${personal}/${name}`, `library/${name}`];
  return [...new Set([...written, ...guesses])].filter(isRepository);
}

/** The doctor's name in place of the first wildcard, and of everything after it. */
function fillIn(pattern: string): string {
  const segments = pattern.split("/");
  const first = segments.findIndex((segment) => segment.includes("*"));
  if (first === -1) return pattern;
  const after = segments.slice(first + 1);
  const filled = (segments[first] ?? "").includes("**")
    ? [name, ...after.map((segment) => segment.replaceAll(/\*+/g, name))]
    : [
        segments[first]?.replace(/\*+/, name).replaceAll("*", "") ?? name,
        ...after.map((s) => s.replaceAll(/\*+/g, name)),
      ];
  return [...segments.slice(0, first), ...filled].join("/");
}

/** Another repository beside one, to mount a blob into. */
export function neighbourRepository(repository: string): string {
  return `${repository}-mount`;
}

import type { ImportedRule } from "./imported.ts";

export const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;
export type Method = (typeof methods)[number];

/** Who may use which method below a path: subjects of our rules; an empty list for nobody. */
export type MethodAccess = Readonly<Record<Method, readonly string[]>>;

export const nobodyByAnyMethod: MethodAccess = { GET: [], HEAD: [], POST: [], PUT: [], PATCH: [], DELETE: [] };

/** What holds for paths below `/v2/`, unless a longer path of the same list says otherwise. */
export interface PathAccess {
  /** What follows `/v2/`; empty for all. `team/` and `team` differ where prefixes are compared as text. */
  readonly prefix: string;
  readonly access: MethodAccess;
}

/** The methods of the API by which each action is done (OCI distribution specification 1.1, "Endpoints"). */
const methodsOf: Readonly<Record<string, readonly Method[]>> = {
  pull: ["GET", "HEAD"],
  push: ["POST", "PUT", "PATCH"],
  delete: ["DELETE"],
};
/** The segments that end the name of a repository in a path. */
const operations = ["manifests", "blobs", "tags", "referrers"];

/**
 * The repositories whose paths begin with a text.
 *
 * @param wholeSegments Whether `team` stands for `team` and what is below it, and not for `teams` too.
 * @returns `undefined` where the text reaches into what follows the name of a repository.
 */
export function globsOf(prefix: string, wholeSegments: boolean): readonly string[] | undefined {
  if (prefix === "") return ["**"];
  const closed = wholeSegments || prefix.endsWith("/");
  const name = prefix.replace(/\/$/, "");
  if (!/^[a-z0-9._/-]+$/.test(name) || name.includes("//")) return undefined;
  const segments = name.split("/");
  const last = segments.at(-1) ?? "";
  if (segments.some((segment) => operations.includes(segment))) return undefined;
  if (closed) return [name, `${name}/**`];
  return operations.some((operation) => operation.startsWith(last)) && segments.length > 1
    ? undefined
    : [`${name}*`, `${name}*/**`];
}

/**
 * Rules by which everybody may do what they may by the paths, and nothing else. An action is allowed to those who may use
 * all of its methods.
 *
 * @param paths Each with {@link globsOf} that is not undefined.
 */
export function rulesOf(paths: readonly PathAccess[], wholeSegments: boolean): readonly ImportedRule[] {
  const globs = new Map(paths.map(({ prefix }) => [prefix, globsOf(prefix, wholeSegments) ?? []]));
  return paths.flatMap(({ prefix, access }) => {
    const longer = paths.filter((other) => other.prefix !== prefix && isBelow(other.prefix, prefix, wholeSegments));
    const excluded = longer.flatMap((other) => (globs.get(other.prefix) ?? []).map((glob) => `!${glob}`));
    const repositories = [...(globs.get(prefix) ?? []), ...excluded];
    return bySubjects(access).map(({ subjects, actions }) => ({ subjects, repositories, actions }));
  });
}

function isBelow(path: string, prefix: string, wholeSegments: boolean): boolean {
  if (prefix === "") return true;
  return wholeSegments ? path.startsWith(`${prefix.replace(/\/$/, "")}/`) : path.startsWith(prefix);
}

function bySubjects(access: MethodAccess): { subjects: readonly string[]; actions: readonly string[] }[] {
  const groups: { subjects: readonly string[]; actions: string[] }[] = [];
  for (const [action, needed] of Object.entries(methodsOf)) {
    const subjects = needed.map((method) => access[method]).reduce(common);
    if (subjects.length === 0) continue;
    const group = groups.find((known) => known.subjects.join("\n") === subjects.join("\n"));
    if (group === undefined) groups.push({ subjects, actions: [action] });
    else group.actions.push(action);
  }
  return groups;
}

/** Who is in both lists for certain. */
function common(one: readonly string[], other: readonly string[]): readonly string[] {
  const inBoth = [
    ...one.filter((subject) => isCovered(subject, other)),
    ...other.filter((subject) => isCovered(subject, one)),
  ];
  return [...new Set(inBoth)];
}

function isCovered(subject: string, by: readonly string[]): boolean {
  return by.includes(subject) || by.includes("anonymous") || (subject !== "anonymous" && by.includes("authenticated"));
}

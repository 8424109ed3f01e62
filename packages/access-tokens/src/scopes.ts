import type { Access, Action } from "@registry-gate/auth";

/** A scope that was read, or why it is none: a line that goes on after the scope. */
export type ScopeReading =
  | { readonly accesses: readonly Access[]; readonly fault?: never }
  | { readonly fault: string; readonly accesses?: never };

const actions: readonly Action[] = ["pull", "push", "delete", "*"];
const form = "must be such as repository:team/**:pull,push or registry:catalog:*";
/** One path segment of a repository's name, as the OCI distribution specification 1.1 has it. */
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const longestPattern = 255;

/**
 * Reads a scope in the form of the Docker token specification, `repository:NAME:ACTION,…`, in which the name may be a pattern
 * as in rules: `*` stands for any text within a path segment, `**` for any segments. `registry:catalog:*` is the list of all
 * repositories.
 */
export function parseScope(scope: string): ScopeReading {
  const [, type, name = "", list = ""] = /^([a-z]+):([^:]+):([^:]+)$/.exec(scope) ?? [];
  if (type === "registry") {
    if (name !== "catalog" || list !== "*")
      return { fault: "must be registry:catalog:*, the one scope of the registry" };
    return { accesses: [{ type, name, action: "*" }] };
  }
  if (type !== "repository") return { fault: form };
  const fault = patternFault(name);
  if (fault !== undefined) return { fault };
  const accesses: Access[] = [];
  for (const given of new Set(list.split(","))) {
    const action = actions.find((known) => known === given);
    if (action === undefined) return { fault: `must end with actions: ${actions.join(", ")}` };
    accesses.push({ type, name, action });
  }
  return { accesses };
}

/** Writes accesses as scopes, those to one resource in one. */
export function formatScopes(accesses: readonly Access[]): readonly string[] {
  const resources = new Map<string, Action[]>();
  for (const { type, name, action } of accesses) {
    const resource = `${type}:${name}`;
    resources.set(resource, [...(resources.get(resource) ?? []), action]);
  }
  return [...resources].map(([resource, allowed]) => `${resource}:${[...new Set(allowed)].join(",")}`);
}

function patternFault(pattern: string): string | undefined {
  if (pattern.length > longestPattern) return `must not name a repository by more than ${longestPattern} characters`;
  for (const segment of pattern.split("/")) {
    if (segment === "**") continue;
    if (segment.includes("**")) return "must have ** as a whole path segment";
    if (!component.test(segment.replaceAll("*", "0"))) return "must name a repository, or a pattern that one can match";
  }
  return undefined;
}

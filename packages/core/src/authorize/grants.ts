import type { Access, Action, Grants, Principal } from "@registry-gate/auth";
import { catalogAccess } from "../route/accesses.ts";
import { compileGlob, type Glob, globFault } from "./glob.ts";

/** Compiled {@link Grants}. */
export interface CompiledGrants {
  /** Whether one of them includes an access. */
  include(access: Access): boolean;
  /** How many repositories they cover with an action. */
  reach(action: Action): "everything" | "something" | "nothing";
}

interface CompiledGrant {
  readonly type: Access["type"];
  readonly name: string;
  readonly action: Action;
  /** The pattern of a repository name. */
  readonly glob: Glob | undefined;
}

const compiled = new WeakMap<Grants, CompiledGrants>();

/** @returns `undefined` where only the rules limit the principal. */
export function grantsOf({ grants }: Principal): CompiledGrants | undefined {
  if (grants === undefined) return undefined;
  // An invalid grant allows nothing: grants may come from untyped backends.
  if (!Array.isArray(grants)) return compileGrants([]);
  const known = compiled.get(grants);
  if (known !== undefined) return known;
  const made = compileGrants(grants);
  compiled.set(grants, made);
  return made;
}

/** Whether the grants allow to list repositories without a restriction. */
export function grantsCatalog(grants: CompiledGrants): boolean {
  return grants.include(catalogAccess);
}

function compileGrants(grants: readonly (Access | null | undefined)[]): CompiledGrants {
  const all = grants.flatMap((grant): readonly CompiledGrant[] => {
    if (grant === null || grant === undefined) return [];
    const { type, name, action } = grant;
    const glob = type === "repository" && isPattern(name) ? compileGlob(name) : undefined;
    return [{ type, name, action, glob }];
  });
  const covers = (grant: CompiledGrant, action: Action): boolean => grant.action === "*" || grant.action === action;
  return {
    include: ({ type, name, action }) =>
      all.some((grant) => {
        if (grant.type !== type || !covers(grant, action)) return false;
        return type === "repository" ? grant.glob?.matches(name, undefined) === true : grant.name === name;
      }),
    reach(action) {
      const globs = all.flatMap((grant) => (covers(grant, action) && grant.glob !== undefined ? [grant.glob] : []));
      if (globs.some(({ everything }) => everything)) return "everything";
      return globs.length === 0 ? "nothing" : "something";
    },
  };
}

/** Grants do not support `!` and `${username}`, which are for rules only. */
function isPattern(name: unknown): name is string {
  return typeof name === "string" && !name.startsWith("!") && !name.includes("$") && globFault(name) === undefined;
}

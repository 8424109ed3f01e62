import { type Action, InvalidOptionsError } from "@registry-gate/auth";
import { isRepository, type Permissions } from "@registry-gate/core";

/** What the form for a new token holds, as it was typed. */
export interface TokenForm {
  readonly name: string;
  readonly expires: string;
  /** A repository, or a pattern as in rules; empty: all that the user may use. */
  readonly repositories: string;
  readonly actions: readonly Action[];
}

const listed = new Intl.ListFormat("en-GB", { type: "disjunction" });

/** In the order of the page. */
export const tokenActions = ["pull", "push", "delete"] as const;
export const expiries = ["7d", "30d", "90d", "365d"] as const;

export const emptyTokenForm: TokenForm = { name: "", expires: "30d", repositories: "", actions: [] };

export function readTokenForm(form: URLSearchParams): TokenForm {
  return {
    name: (form.get("name") ?? "").trim(),
    expires: form.get("expires") ?? "",
    repositories: (form.get("repositories") ?? "").trim(),
    actions: tokenActions.filter((action) => form.getAll("actions").includes(action)),
  };
}

/**
 * The scopes of a new token; `undefined` where it is to be good for whatever its owner may do. When a token is used it is
 * good for no more than its owner may do then; what they may not do now is refused here, since it would be a surprise.
 *
 * @param permissions What the owner may do to a repository.
 * @throws {InvalidOptionsError} at `repositories` or `actions`.
 */
export function scopesOf(
  { repositories, actions }: TokenForm,
  permissions: (repository: string) => Permissions,
): readonly string[] | undefined {
  if (repositories === "" && actions.length === 0) return undefined;
  const name = repositories === "" ? "**" : repositories;
  const wanted = actions.length === 0 ? tokenActions : actions;
  if (!isRepository(name)) return [`repository:${name}:${wanted.join(",")}`];
  const may = permissions(name);
  const beyond = actions.filter((action) => action !== "*" && !may[action]);
  if (beyond.length > 0) {
    throw new InvalidOptionsError([
      { path: ["actions"], message: `may not ${listed.format(beyond)} there, since you may not` },
    ]);
  }
  const allowed = wanted.filter((action) => action !== "*" && may[action]);
  if (allowed.length > 0) return [`repository:${name}:${allowed.join(",")}`];
  throw new InvalidOptionsError([{ path: ["repositories"], message: "is one that you may not use" }]);
}

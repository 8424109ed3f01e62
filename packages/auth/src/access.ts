/** An action on a repository. `*` stands for all of them. */
export type Action = "pull" | "push" | "delete" | "*";

/**
 * A permission that a request needs, modelled on the resource scopes of the Docker token specification.
 *
 * For a `repository`, `name` is the full name of the repository, for example `team/app`. For the `registry`, it is the
 * name of the registry-wide resource, for example `catalog`.
 *
 * A request may need several: a cross-repository mount needs push on the target and pull on the source.
 */
export interface Access {
  readonly type: "repository" | "registry";
  readonly name: string;
  readonly action: Action;
}

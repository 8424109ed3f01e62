/** What may be done to a repository. `*` stands for all of them. */
export type Action = "pull" | "push" | "delete" | "*";

/**
 * One thing that a request needs permission for, after the resource scopes of the Docker token specification.
 *
 * For a `repository`, `name` is the repository's full name, for example `team/app`. For the `registry`, it is the
 * name of the registry-wide resource, for example `catalog`.
 *
 * A request may need several: a cross-repository mount needs push on the target and pull on the source.
 */
export interface Access {
  readonly type: "repository" | "registry";
  readonly name: string;
  readonly action: Action;
}

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

/** The longest name that docker-registry takes, in characters. */
export const longestRepositoryName = 255;

/** Whether `name` is a repository name of the OCI distribution specification 1.1 ("Pulling manifests"). */
export function isRepositoryName(name: string): boolean {
  return name.length <= longestRepositoryName && name.split("/").every((part) => component.test(part));
}

/**
 * The grammars of the OCI distribution specification 1.1, section "Pulling manifests", each anchored at both ends.
 */

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const componentPattern = new RegExp(`^${component}$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digestPattern = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+$/;
const digestAlgorithmPattern = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*$/;
const uploadPattern = /^[A-Za-z0-9_=-][A-Za-z0-9._=-]*$/;

/** The limit of every known registry, although the specification sets none. */
const longestRepository = 255;
/** The maximum length of a digest and of an upload's identifier. */
const longestIdentifier = 512;

/** Whether `text` is a valid repository name of at most 255 characters. No other is ever sent to the registry. */
export function isRepository(text: string): boolean {
  return text.length <= longestRepository && repositoryPattern.test(text);
}

/** Whether `text` is a valid path segment of a repository name. */
export function isRepositoryComponent(text: string): boolean {
  return componentPattern.test(text);
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** For the algorithms registered in the image specification, the encoded part must be valid too. */
export function isDigest(text: string): boolean {
  if (text.startsWith("sha256:")) return /^sha256:[a-f0-9]{64}$/.test(text);
  if (text.length > longestIdentifier || !digestPattern.test(text)) return false;
  if (text.startsWith("sha512:")) return /^sha512:[a-f0-9]{128}$/.test(text);
  return true;
}

/** The algorithm of a digest, of at most 64 characters (OCI image specification, section "Digests"). */
export function isDigestAlgorithm(text: string): boolean {
  return text.length <= 64 && digestAlgorithmPattern.test(text);
}

/** The registry chooses the identifier of an upload; these are the characters that known registries use. */
export function isUpload(text: string): boolean {
  return text.length <= longestIdentifier && uploadPattern.test(text);
}

/**
 * Whether a file of secrets can be read by more users than need be. A group that reads it is one too many, unless the file is
 * somebody else's: then this process itself reads it by its group, as it does a Secret of Kubernetes, which is root's.
 *
 * @param file Its mode, and the number of its owner.
 * @param user The number of the user that this process runs as; `undefined` on Windows, which has no such modes.
 */
export function isExposed(file: { readonly mode: number; readonly uid: number }, user: number | undefined): boolean {
  if (user === undefined) return false;
  return (file.mode & 0o004) !== 0 || ((file.mode & 0o040) !== 0 && file.uid === user);
}

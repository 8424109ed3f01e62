/** The minimum Node version, as in `engines`. */
export const leastNode: readonly [major: number, minor: number] = [22, 15];

/**
 * Makes the import of this package fail on a Node that is too old, instead of a request later.
 *
 * @throws {Error} which names the required version.
 */
export function requireNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor, leastMinor] = leastNode;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  throw new Error(`registry-gate needs Node ${leastNode.join(".")} or newer. This is Node ${version}`);
}

/** The oldest Node that this package runs on, as its `engines` has it. */
export const leastNode: readonly [major: number, minor: number] = [22, 15];

/**
 * Ends the import of this package on a Node that is too old, where it would fail in the middle of a request.
 *
 * @throws {Error} which names the version that is needed.
 */
export function requireNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor, leastMinor] = leastNode;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  throw new Error(`registry-gate needs Node ${leastNode.join(".")} or newer. This is Node ${version}`);
}

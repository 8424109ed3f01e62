/**
 * Ends the process on a Node that is too old, in one line. It is imported before everything else, and uses nothing that
 * old Nodes have not got.
 */
import { readFileSync } from "node:fs";

const manifest: { engines: { node: string } } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);
const least = manifest.engines.node.replace(">=", "");
const [leastMajor = 0, leastMinor = 0] = least.split(".").map(Number);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
  const { node } = process.versions;
  process.stderr.write(`registry-gate needs Node ${least} or newer. This is Node ${node}: ${process.execPath}\n`);
  process.exit(1);
}

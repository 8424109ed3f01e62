#!/usr/bin/env node
// The command as it is installed. It is CommonJS in the syntax of old Nodes, and loads nothing that they cannot read
// before it knows that this is not one of them.
const { engines }: { engines: { node: string } } = require("../package.json");
const least = engines.node.replace(">=", "");
const [leastMajor = 0, leastMinor = 0] = least.split(".").map(Number);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
  console.error(
    `registry-gate needs Node ${least} or newer. This is Node ${process.versions.node}: ${process.execPath}`,
  );
  process.exitCode = 1;
} else {
  import("./main.js");
}

#!/usr/bin/env node
/** The command as it is installed. An old Node cannot even load the rest, so that comes when it is known to be none. */
import "./require-node.ts";

// Before the rest is loaded, which takes a while.
import "./process/ignore-debug-signal.ts";

await import("./main.ts");

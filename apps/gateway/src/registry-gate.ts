#!/usr/bin/env node
/** The command as it is installed. An old Node cannot even load the rest, so that comes when it is known to be none. */
import "./require-node.ts";

// Before the rest is loaded, which takes a while.
import "./process/ignore-debug-signal.ts";
import "./process/leave-signals-to-primary.ts";
import "./process/compile-cache.ts";

// Containers run it every few seconds: it starts in a fraction of the time that all commands take.
if (process.argv[2] === "health") await import("./commands/health/run-health.ts");
else await import("./main.ts");

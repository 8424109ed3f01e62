#!/usr/bin/env node
/**
 * All commands, for who starts this file by its path. Node links a program's static imports before it runs any of them: an
 * old Node would fail at the first export that it lacks, here or in a dependency, before it is refused in words.
 */
import "./require-node.ts";

// Before the rest, so that it is in force before anything else runs.
import "./process/ignore-debug-signal.ts";
import "./process/leave-signals-to-primary.ts";
import "./process/compile-cache.ts";

await import("./command-line.ts");

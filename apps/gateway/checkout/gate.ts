#!/usr/bin/env -S node --conditions=development
/**
 * `pnpm gate` in a checkout: `registry-gate` from source, with paths relative to where the user stands. In the folder of a
 * package pnpm finds this file as a program and runs it there. Elsewhere it is the script of that name, which pnpm runs in
 * the workspace's root, where it says in INIT_CWD where the user is.
 */
import "../src/require-node.ts";
import "../src/process/ignore-debug-signal.ts";
import "../src/process/compile-cache.ts";

const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
if (script === "gate" && folder !== undefined) process.chdir(folder);
if (process.argv[2] === "health") await import("../src/commands/health/run-health.ts");
else await import("../src/main.ts");

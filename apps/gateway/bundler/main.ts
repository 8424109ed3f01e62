/** `pnpm build` and the image: makes `command/`, the command as it is published. */
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { bundleCommand } from "./bundle-command.ts";

const directory = resolve(import.meta.dirname, "../command");
await rm(directory, { recursive: true, force: true });
await bundleCommand(directory, "installed");

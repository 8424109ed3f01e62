import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

const folder = resolve(import.meta.dirname, "../../apps/gateway/deploy/systemd");

/** A file of `apps/gateway/deploy/systemd`. */
export function systemdFile(name: string): Promise<string> {
  return readFile(resolve(folder, name), "utf8");
}

/** Where a package puts the command. */
export const installedCommand = "/usr/bin/registry-gate";

import { readFileSync } from "node:fs";
import { onPath } from "../programs/find-program.ts";

/** Whether this process can install packages of Debian: it is root, on Debian or what is made of it. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && isDebian() && onPath("apt-get") !== undefined;
}

/** By os-release(5). */
export function isDebian(): boolean {
  return isDebianLike(read("/etc/os-release") ?? read("/usr/lib/os-release") ?? "");
}

export function isDebianLike(osRelease: string): boolean {
  const value = (key: string): string => new RegExp(`^${key}=["']?([^"'\\n]*)`, "m").exec(osRelease)?.[1] ?? "";
  return [value("ID"), ...value("ID_LIKE").split(" ")].includes("debian");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

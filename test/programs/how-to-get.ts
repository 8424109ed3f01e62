import type { Program } from "./program.ts";

/** How to have a program, in a few words. */
export function howToGet(program: Program): string {
  if ("debian" in program) {
    const { debian } = program;
    return `install the Debian package${debian.length === 1 ? "" : "s"} ${debian.join(" ")}`;
  }
  if ("go" in program) return `pnpm test builds it where Go ${program.go.leastGo} or newer is installed`;
  return program.hint;
}

import type { CommandResult } from "../support/run.ts";

/** What docker, skopeo or curl came to, in a word; or all that it said, where that is something else. */
export function verdictOf({ code, stdout, stderr }: CommandResult): string {
  if (code === 0) return "done";
  const said = `${stdout}${stderr}`;
  if (said.includes("requested access to the resource is denied")) return "denied";
  if (/401|unauthorized|authentication required/i.test(said)) return "unauthorized";
  return said;
}

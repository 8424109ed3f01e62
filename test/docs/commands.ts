/** A use of the workspace's own commands in a shell example. */
export type OwnCommand =
  | { readonly program: "registry-gate"; readonly subcommand: string }
  | { readonly program: "pnpm"; readonly script: string };

/** What may stand before the command that is meant. */
const prefixes = /^(?:(?:[A-Z_]+=\S*|sudo|exec|\$|npx(?: --?\S+)*(?= registry-gate| pnpm))\s+)+/;

/**
 * Finds what a shell example runs of `registry-gate` and of the workspace's scripts. Comments and other programs are
 * passed over.
 */
export function ownCommands(shell: string): readonly OwnCommand[] {
  const joined = shell.replace(/\\\n/g, " ").replace(/(^|\s)#.*$/gm, "$1");
  return joined
    .split(/\n|&&|\|\||[|;&]/)
    .map((command) => command.trim().replace(prefixes, ""))
    .flatMap(ownCommand);
}

function ownCommand(command: string): OwnCommand[] {
  const [program = "", ...words] = command.split(/\s+/);
  const [first = "", second = ""] = words.filter((word) => !word.startsWith("-"));
  if (program === "registry-gate" && first !== "") return [{ program, subcommand: first }];
  if (!/^pnpm(@\d+)?$/.test(program) || first === "") return [];
  if (first === "exec" && second === "registry-gate") return ownCommand(command.replace(/^.*?exec\s+/, ""));
  const script = first === "run" ? second : first;
  const own: OwnCommand[] = [{ program: "pnpm", script }];
  return script === "gate" && second !== "" ? [...own, { program: "registry-gate", subcommand: second }] : own;
}

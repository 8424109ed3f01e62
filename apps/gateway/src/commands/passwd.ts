import { InvalidOptionsError } from "@registry-gate/auth";
import { passwordEntry, SetPasswordError, setPassword } from "@registry-gate/auth-htpasswd";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { askHidden, readLine } from "./password-input.ts";

/** What stands for it in the place of a file. */
const standardOutput = "-";

export const passwd: Command = {
  name: "passwd",
  synopsis: "FILE USER",
  summary: "create or update an entry of a password file",
  details: [
    "Prompts twice for the password on a terminal, and does not show it. Otherwise reads it from the first line of standard",
    "input:",
    "",
    "  registry-gate passwd htpasswd alice < password.txt",
    "",
    "Hashes the password with bcrypt. Creates a missing FILE with mode 0600, and replaces an existing one in one step without",
    "changing its mode. A running gate reloads the file. To remove a user, delete the line.",
    "With - as FILE, prints the entry to standard output and changes no file:",
    "",
    "  registry-gate passwd - alice < password.txt >> htpasswd",
    "",
    "Exit code: 0, or 1 with one line for each fault.",
  ],
  async run(parameters) {
    const { file, user } = parse(parameters);
    try {
      const password = process.stdin.isTTY ? await askTwice(user) : await readLine(process.stdin);
      if (file === standardOutput) {
        process.stdout.write(`${await passwordEntry(user, password)}\n`);
        return 0;
      }
      const outcome = await setPassword(file, user, password);
      process.stdout.write(`${file}: ${user} ${outcome}\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof InvalidOptionsError || error instanceof SetPasswordError)) throw error;
      for (const { path, message } of error.faults) {
        process.stderr.write(`${path[0] === "file" ? file : path.join(".")}: ${message}\n`);
      }
      return 1;
    }
  },
};

function parse(parameters: readonly string[]): { file: string; user: string } {
  const { positionals } = parseCommandLine({ args: [...parameters], options: {}, allowPositionals: true });
  const [file, user, surplus] = positionals;
  if (file === undefined || user === undefined) throw new UsageError("FILE and USER are required");
  if (surplus !== undefined) throw new UsageError(`unexpected ${surplus}`);
  return { file, user };
}

async function askTwice(user: string): Promise<string> {
  const [first = "", second] = await askHidden(process.stdin, [`Password for ${user}: `, "Repeat the password: "]);
  if (first !== second) throw new InvalidOptionsError([{ path: ["password"], message: "the passwords differ" }]);
  return first;
}

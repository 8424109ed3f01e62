import { InvalidOptionsError } from "@registry-gate/auth";
import { passwordEntry, setPassword } from "@registry-gate/auth-htpasswd";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { askHidden, readLine } from "./password-input.ts";

/** What stands for it in the place of a file. */
const standardOutput = "-";

export const passwd: Command = {
  name: "passwd",
  synopsis: "FILE USER",
  summary: "create or update an entry of a password file",
  details: [
    "On a terminal the password is asked for twice, and not shown. Otherwise it is the first line of standard input:",
    "",
    "  registry-gate passwd htpasswd alice < password.txt",
    "",
    "The password is hashed with bcrypt. FILE is created where it is missing, with mode 0600, and replaced in one step",
    "otherwise, its mode kept; a running gate takes the change up by itself. To remove a user, delete the line.",
    "With - as FILE, the entry is printed to standard output and no file is changed:",
    "",
    "  registry-gate passwd - alice < password.txt >> htpasswd",
    "",
    "Exit code: 0, or 1 with one line for each thing that is wrong.",
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
      if (!(error instanceof InvalidOptionsError)) throw error;
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
  if (first !== second) throw new InvalidOptionsError([{ path: ["password"], message: "the two differ" }]);
  return first;
}

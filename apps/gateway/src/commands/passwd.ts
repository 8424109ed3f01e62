import { InvalidOptionsError } from "@registry-gate/auth";
import { setPassword } from "@registry-gate/auth-htpasswd";
import { type Command, UsageError } from "./command.ts";
import { promptHidden, readLine } from "./read-secret.ts";

export const passwd: Command = {
  name: "passwd",
  synopsis: "FILE USER",
  summary: "create or update an entry of a password file; the password comes from a prompt or standard input",
  async run(parameters) {
    const [file, user, surplus] = parameters;
    if (file === undefined || user === undefined) throw new UsageError("FILE and USER are required");
    if (surplus !== undefined) throw new UsageError(`unexpected ${surplus}`);
    const password = process.stdin.isTTY ? await askTwice(user) : await readLine(process.stdin);
    if (password === undefined) {
      process.stderr.write("the two passwords differ\n");
      return 1;
    }
    try {
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

async function askTwice(user: string): Promise<string | undefined> {
  const first = await promptHidden(`Password for ${user}: `);
  const second = await promptHidden("The same again: ");
  return first === second ? first : undefined;
}

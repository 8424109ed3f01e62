import { join } from "node:path";
import { runCommand } from "../support/run.ts";
import { type Client, type Content, outcomeOf } from "./client.ts";
import { newHome } from "./home.ts";

/** The parameters of one call of a program. */
export type CommandLine = readonly string[];

/** The command lines of a client that remembers its logins in its home directory. */
export interface Commands {
  /** The name of the program, as a literal. */
  readonly command: string;
  readonly content: Content;
  /** What every call begins with. @param home The user's directory. */
  readonly common?: (home: string) => CommandLine;
  /** It reads the password from its standard input. */
  readonly login: (username: string, host: string) => CommandLine;
  readonly logout: (host: string) => CommandLine;
  /** The last command line decides. @param target A path at which nothing is yet. */
  readonly pull: (host: string, repository: string, target: string) => readonly CommandLine[];
  /** The last command line decides. */
  readonly push: (host: string, repository: string) => Promise<readonly CommandLine[]> | readonly CommandLine[];
}

/** @param environment Leads to the host. */
export function commandClient(commands: Commands, environment: Readonly<Record<string, string>>, host: string): Client {
  return {
    name: commands.command,
    content: commands.content,
    async newUser() {
      const home = await newHome(environment);
      let targets = 0;
      const run = async (parameters: CommandLine, input = "") => {
        const all = [...(commands.common?.(home.directory) ?? []), ...parameters];
        // Where nothing else is, so that no client takes a file of the tests for one of its own.
        const settings = { input, environment: home.environment, directory: home.directory };
        return outcomeOf(await runCommand(commands.command, all, settings));
      };
      const runAll = async (lines: readonly CommandLine[]) => {
        let last = { ok: false, words: "no command" };
        for (const line of lines) last = await run(line);
        return last;
      };
      return {
        home: home.directory,
        login: (username, password) => run(commands.login(username, host), password),
        logout: () => run(commands.logout(host)),
        pull(repository) {
          targets += 1;
          return runAll(commands.pull(host, repository, join(home.directory, `pulled-${targets}`)));
        },
        push: async (repository) => runAll(await commands.push(host, repository)),
        close: home.close,
      };
    },
  };
}

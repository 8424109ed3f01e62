import type { Containerd } from "../support/containerd.ts";
import { type Client, type Outcome, outcomeOf, tag } from "./client.ts";
import { newHome } from "./home.ts";
import type { Materials } from "./materials.ts";

/** containerd by its own client. It needs no snapshots for this: content is fetched and pushed as it is. */
export function ctr(
  daemon: Containerd,
  environment: Readonly<Record<string, string>>,
  host: string,
  { image, imageName }: Materials,
): Client {
  let users = 0;
  return {
    name: "ctr",
    content: "image",
    async newUser() {
      const home = await newHome(environment);
      users += 1;
      const namespace = `user-${users}`;
      const run = async (...parameters: readonly string[]): Promise<Outcome> =>
        outcomeOf(await daemon.ctr(["--namespace", namespace, ...parameters], home.environment));
      const reference = (repository: string): string => `${host}/${repository}:${tag}`;
      const nobody: readonly string[] = [];
      let credentials = nobody;
      return {
        home: home.directory,
        async login(username, password) {
          credentials = ["--user", `${username}:${password}`];
          return { ok: true, words: "" };
        },
        async logout() {
          credentials = nobody;
          return { ok: true, words: "" };
        },
        async pull(repository) {
          await run("images", "remove", "--sync", reference(repository));
          return run("content", "fetch", ...credentials, reference(repository));
        },
        async push(repository) {
          const imported = await run("images", "import", "--no-unpack", "--all-platforms", image);
          if (!imported.ok) throw new Error(`ctr images import: ${imported.words}`);
          return run("images", "push", ...credentials, reference(repository), imageName);
        },
        close: home.close,
      };
    },
  };
}

import type { Docker, Dockerd } from "../support/dockerd.ts";
import { type Client, outcomeOf, tag } from "./client.ts";
import { newHome } from "./home.ts";
import type { Materials } from "./materials.ts";

/** @param daemon Whose environment leads to the host. */
export function docker(daemon: Dockerd, host: string, { imageName }: Materials): Client {
  return {
    name: "docker",
    content: "image",
    async newUser() {
      const home = await newHome({});
      const asUser = await daemon.newUser();
      const run: Docker = (parameters, input) => asUser(["--config", home.directory, ...parameters], input);
      const reference = (repository: string): string => `${host}/${repository}:${tag}`;
      return {
        home: home.directory,
        login: async (username, password) =>
          outcomeOf(await run(["login", "--username", username, "--password-stdin", host], password)),
        logout: async () => outcomeOf(await run(["logout", host])),
        async pull(repository) {
          await run(["image", "rm", "--force", reference(repository)]);
          return outcomeOf(await run(["pull", reference(repository)]));
        },
        async push(repository) {
          await run(["tag", imageName, reference(repository)]);
          return outcomeOf(await run(["push", reference(repository)]));
        },
        close: home.close,
      };
    },
  };
}

import { configOf, digestOf, manifestOf, manifestType } from "../support/registry-content.ts";
import { runCommand } from "../support/run.ts";
import { type Client, type Outcome, outcomeOf, tag } from "./client.ts";
import { newHome } from "./home.ts";

/** A person with curl and the specification, who knows no token endpoint: a login is sent unasked, or not at all. */
export function curl(environment: Readonly<Record<string, string>>, authority: string, host: string): Client {
  return {
    name: "curl",
    content: "image",
    async newUser() {
      const home = await newHome(environment);
      let credentials: readonly string[] = [];
      /** Ends with an error at 400 and above, and says what the body says then. */
      const request = async (target: string, parameters: readonly string[] = [], body = ""): Promise<Outcome> => {
        const url = new URL(target, `https://${host}`);
        const fixed = ["--silent", "--show-error", "--fail-with-body", "--cacert", authority, ...credentials];
        return outcomeOf(
          await runCommand("curl", [...fixed, ...parameters, url.href], {
            input: body,
            environment: home.environment,
          }),
        );
      };
      const put = (target: string, type: string, body: string): Promise<Outcome> =>
        request(target, ["--request", "PUT", "--header", `Content-Type: ${type}`, "--data-binary", "@-"], body);
      const pushBlob = async (repository: string, content: string): Promise<Outcome> => {
        const write = ["--request", "POST", "--output", "-", "--write-out", "%header{location}"];
        const started = await request(`/v2/${repository}/blobs/uploads/`, write);
        if (!started.ok) return started;
        const location = new URL(started.words, `https://${host}`);
        location.searchParams.set("digest", digestOf(content));
        return put(location.href, "application/octet-stream", content);
      };
      return {
        home: home.directory,
        async login(username, password) {
          credentials = ["--user", `${username}:${password}`];
          return { ok: true, words: "" };
        },
        async logout() {
          credentials = [];
          return { ok: true, words: "" };
        },
        pull: (repository) => request(`/v2/${repository}/manifests/${tag}`, ["--header", `Accept: ${manifestType}`]),
        async push(repository) {
          for (const blob of ["layer", configOf("layer")]) {
            const pushed = await pushBlob(repository, blob);
            if (!pushed.ok) return pushed;
          }
          return put(`/v2/${repository}/manifests/${tag}`, manifestType, manifestOf("layer"));
        },
        close: home.close,
      };
    },
  };
}

import { request as httpRequest } from "node:http";
import { expect } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Caller, type PushedImage, pushImage, startUpload } from "../support/registry-content.ts";

/** What only Bob may read. */
export const secret = "canary: what only Bob may read";

/** Two users, each with a repository that nobody else may see, on a real registry. */
export interface Scene {
  readonly gate: RunningGate;
  readonly alice: Caller;
  readonly bob: Caller;
  /** What Bob has pushed, and an upload that he has begun. */
  readonly theirs: PushedImage;
  readonly bobsUpload: URL;
  /** Alice's own. */
  readonly own: PushedImage;
  /** Sends the target and the headers just as they are written, as Alice; a header that is undefined is left out. */
  send(method: string, target: string, headers?: object, body?: string): Promise<Response>;
  /** Nothing of what is Bob's stands in a response, but for what was asked: a denial says what one would need. */
  expectNothingOf(response: Response): void;
  close(): Promise<void>;
}

export interface Response {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

export async function startScene(): Promise<Scene> {
  const registry: DockerRegistry = await startDockerRegistry();
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [{ subjects: ["authenticated"], repositories: ["$" + "{username}/**"], actions: ["*"] }],
    },
    files: {
      // Some have names that mean more than one repository, where they are not taken literally.
      htpasswd: await passwordFile({
        alice: "alice-password",
        bob: "bob-password",
        "**": "stars-password",
        "*": "stars-password",
        "b*b": "stars-password",
        "bob/app": "slash-password",
        "..": "dots-password",
      }),
    },
  });
  const alice = { url: gate.url, headers: basic("alice", "alice-password") };
  const bob = { url: gate.url, headers: basic("bob", "bob-password") };
  const theirs = await pushImage(bob, "bob/app", "v1", secret);
  const own = await pushImage(alice, "alice/app", "v1", "what is Alice's own");
  const bobsUpload = await startUpload(bob, "bob/app");

  function expectNothingOf({ headers, body }: Response): void {
    for (const canary of ["bob", secret, theirs.blob, theirs.manifest]) {
      expect(headers).not.toContain(canary);
      expect(body).not.toContain(canary);
    }
  }

  function send(method: string, target: string, headers: object = {}, body = ""): Promise<Response> {
    const { hostname: host, port } = new URL(gate.url);
    const length = body === "" ? {} : { "Content-Length": Buffer.byteLength(body) };
    const all = Object.entries({ ...alice.headers, ...length, ...headers }).filter(([, value]) => value !== undefined);
    return new Promise((resolve, reject) => {
      const request = httpRequest({ host, port, method, path: target, headers: Object.fromEntries(all) });
      request.once("response", (response) => {
        let text = "";
        response.setEncoding("latin1").on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("end", () => {
          const { date: _, "x-request-id": id, ...rest } = response.headers;
          // Each response has another id, which the detail of an error repeats.
          const body = typeof id === "string" ? text.replaceAll(id, "") : text;
          resolve({ status: response.statusCode ?? 0, headers: JSON.stringify(rest), body });
        });
      });
      request.once("error", reject);
      request.end(body);
    });
  }

  return {
    ...{ gate, alice, bob, theirs, own, bobsUpload, send, expectNothingOf },
    async close() {
      await gate.close();
      await registry.close();
    },
  };
}

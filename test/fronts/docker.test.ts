import { randomUUID } from "node:crypto";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loggedIn, logIn } from "../docker/docker-user.ts";
import { type Stage, setStage } from "../docker/stage.ts";
import { verdictOf } from "../docker/verdict.ts";
import { startChromium } from "../support/chromium.ts";
import type { Dockerd } from "../support/dockerd.ts";
import { type Client, type OpenIdProvider, startOpenIdProvider } from "../support/open-id-provider.ts";
import { idTokenOf } from "./id-token.ts";
import { people } from "./people.ts";

let provider: OpenIdProvider;
let stage: Stage;
let daemon: Dockerd;
let browser: Browser;
let client: Client;

beforeAll(async () => {
  provider = await startOpenIdProvider({
    people,
    programs: {
      builder: { secret: "builder-secret", groups: ["pushers"] },
      scanner: { secret: "scanner-secret", groups: [] },
      // As many as Entra ID writes into a token, by their object identifiers.
      member: { secret: "member-secret", groups: [...Array.from({ length: 199 }, () => randomUUID()), "pushers"] },
    },
  });
  // What a program on a person's own machine is to the provider (RFC 8252, section 7.3).
  client = await provider.register("http://127.0.0.1:1/callback");
  const issuer = { type: "sso-jwt", jwks: provider.jwks, issuer: provider.issuer, groupsClaim: "groups" };
  stage = await setStage({
    auth: {
      backends: [
        { ...issuer, id: "people", audience: client.id, usernameClaim: "preferred_username" },
        { ...issuer, id: "programs", audience: "registry", usernamePrefix: "program-" },
      ],
    },
    access: [
      { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
      { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push"] },
    ],
  });
  daemon = await stage.newDaemon();
  await daemon.load("image:1", [{ "etc/version": "1\n" }]);
  browser = await startChromium();
});

afterAll(async () => {
  for (const part of [browser, stage, provider]) await part?.close();
});

describe("a token of an OpenID Connect provider as the password of docker login", () => {
  const login = async (username: string, token: string): Promise<string> =>
    verdictOf(await logIn(await daemon.newUser(), stage.host, username, token));

  /** What becomes of a push and a pull. */
  async function outcomes(token: string): Promise<Record<"push" | "pull", string>> {
    const docker = await loggedIn(daemon, stage.host, "oauth2", token);
    const image = `${stage.host}/team/built:1`;
    await docker(["tag", "image:1", image]);
    return { push: verdictOf(await docker(["push", image])), pull: verdictOf(await docker(["pull", image])) };
  }

  test("lets a program in the group push and pull, as a program", async () => {
    expect(await outcomes(await provider.programToken("builder"))).toEqual({ push: "done", pull: "done" });
    const record = await stage.gate.logged(
      ({ repository, operation }) => repository === "team/built" && operation === "put-manifest",
    );
    expect(record).toMatchObject({ username: "program-builder", backend: "programs", decision: "allowed" });
  });

  test("lets a program in 200 groups push and pull, although its token is longer than any password", async () => {
    const token = await provider.programToken("member");
    expect(token.length).toBeGreaterThan(10_000);
    expect(await outcomes(token)).toEqual({ push: "done", pull: "done" });
  });

  test("lets another program pull, and not push", async () => {
    expect(await outcomes(await provider.programToken("scanner"))).toEqual({ push: "denied", pull: "done" });
  });

  test("counts beside the user's own name, and beside no other's", async () => {
    const token = await idTokenOf(browser, provider, client, "zoë");
    expect(await login("zoë", token)).toBe("done");
    expect(await login("oauth2", token)).toBe("done");
    expect(await login("alice", token)).toBe("unauthorized");
  });

  test("is in no log, be it accepted or refused", async () => {
    const token = await provider.programToken("builder");
    await login("oauth2", token);
    await login("alice", token);
    await stage.gate.settled();
    expect(stage.gate.output()).not.toContain(token);
    expect(stage.gate.output()).not.toContain(token.split(".")[2]);
  });
});

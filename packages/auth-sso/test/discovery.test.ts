import type { AuthBackend } from "@registry-gate/auth";
import type { SsoJwtOptions } from "@registry-gate/auth-sso";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { bearing, type KeyServer, keyServer, openJwt, type SigningKey, signingKey, tokenOf } from "./issuer.ts";

let key: SigningKey;
let fresh: SigningKey;
beforeAll(async () => {
  [key, fresh] = await Promise.all([signingKey("k1"), signingKey("k2")]);
});

interface Issuer {
  readonly server: KeyServer;
  readonly issuer: string;
  readonly asked: string[];
  /** What its configuration says in the place of what is right. */
  say(configuration: unknown): void;
  publish(...keys: readonly SigningKey[]): void;
}

/** An OpenID Connect provider on the loopback interface, as far as discovery goes. */
async function startIssuer(path = ""): Promise<Issuer> {
  const server = await keyServer(key);
  const origin = new URL(server.url).origin;
  const issuer = `${origin}${path}`;
  const asked: string[] = [];
  let said: unknown = { issuer, jwks_uri: `${origin}/keys` };
  let keys: readonly SigningKey[] = [key];
  server.answer(({ url = "" }, response) => {
    asked.push(url);
    if (url.endsWith("/.well-known/openid-configuration")) {
      if (said === 302) response.writeHead(302, { location: `${origin}/elsewhere` });
      response.end(typeof said === "string" ? said : JSON.stringify(said));
    } else if (url === "/keys") response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
    else response.writeHead(404).end();
  });
  return {
    server,
    issuer,
    asked,
    say(configuration) {
      said = configuration;
    },
    publish(...next) {
      keys = next;
    },
  };
}

const open = async (options: SsoJwtOptions): Promise<AuthBackend> => (await openJwt(options)).backend;
const outcomeOf = (backend: AuthBackend, token: string): Promise<unknown> =>
  bearing(backend, token).then(
    (result) => (result.status === "rejected" ? result.reason : result.status),
    (error: Error) => error.message,
  );

test.each([
  ["", "/.well-known/openid-configuration"],
  ["/", "/.well-known/openid-configuration"],
  ["/tenant/v2.0", "/tenant/v2.0/.well-known/openid-configuration"],
])(
  "without jwks, keys are where the configuration of the issuer %j says, and are fetched once for all",
  async (path, url) => {
    const { issuer, asked } = await startIssuer(path);
    const backend = await open({ issuer });
    expect(asked).toEqual([]);
    const token = await tokenOf(key, { iss: issuer });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcomeOf(backend, token)));
    expect(new Set(outcomes)).toEqual(new Set(["authenticated"]));
    expect(asked).toEqual([url, "/keys"]);
    await backend.check?.(new AbortController().signal);
    expect(asked).toHaveLength(2);
  },
);

test("a rotated key is found at once, and an outage of the configuration leaves the keys in force", async () => {
  const real = performance.now.bind(performance);
  let ahead = 0;
  const spy = vi.spyOn(performance, "now").mockImplementation(() => real() + ahead);
  onTestFinished(() => spy.mockRestore());
  const { issuer, publish, say } = await startIssuer();
  const backend = await open({ issuer });
  const old = await tokenOf(key, { iss: issuer });
  expect(await outcomeOf(backend, old)).toBe("authenticated");
  ahead += 60_000;
  publish(fresh);
  expect(await outcomeOf(backend, await tokenOf(fresh, { iss: issuer }))).toBe("authenticated");
  expect(await outcomeOf(backend, old)).toBe("the token is signed with a key that the issuer does not have");
  ahead += 20 * 60_000;
  say("down");
  expect(await outcomeOf(backend, await tokenOf(fresh, { iss: issuer }))).toBe("authenticated");
});

test.each<[string, (issuer: string) => unknown, string]>([
  [
    "names another issuer",
    (issuer) => ({ issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` }),
    "it names another issuer",
  ],
  ["names no issuer", (issuer) => ({ jwks_uri: `${issuer}/keys` }), "it names another issuer"],
  ["names no keys", (issuer) => ({ issuer }), "it has no jwks_uri"],
  [
    "names keys that come over plain HTTP from elsewhere",
    (issuer) => ({ issuer, jwks_uri: "http://keys.example.com/" }),
    "its jwks_uri must begin with https://",
  ],
  [
    "names a file of keys",
    (issuer) => ({ issuer, jwks_uri: "file:///etc/keys" }),
    "its jwks_uri must begin with https://",
  ],
  ["is a list", () => [], "it is not a JSON object"],
  ["is no JSON", () => "<html>", "it is not a JSON object"],
  ["is huge", (issuer) => ({ issuer, padding: "x".repeat(600_000) }), "answered with more than 524288 bytes"],
  ["is elsewhere", () => 302, "answered 302"],
])("a configuration that %s makes it unavailable, and its keys are not asked for", async (_, configuration, reason) => {
  const { issuer, say, asked } = await startIssuer();
  say(configuration(issuer));
  const backend = await open({ issuer });
  expect(await outcomeOf(backend, await tokenOf(key, { iss: issuer }))).toContain(reason);
  expect(asked).toEqual(["/.well-known/openid-configuration"]);
});

test("where jwks is given nothing is discovered", async () => {
  const { issuer, asked } = await startIssuer();
  const backend = await open({ issuer, jwks: `${issuer}/keys` });
  expect(await outcomeOf(backend, await tokenOf(key, { iss: issuer }))).toBe("authenticated");
  expect(asked).toEqual(["/keys"]);
});

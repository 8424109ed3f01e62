import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Apache } from "../support/apache.ts";
import { startChromium } from "../support/chromium.ts";
import type { Nginx } from "../support/nginx.ts";
import { type OpenIdProvider, startOpenIdProvider } from "../support/open-id-provider.ts";
import { exchange, statusIn } from "../support/raw-http.ts";
import { apacheBackend, apacheSession, startApacheFront } from "./apache-front.ts";
import { type Layout, recordOf, startLayout } from "./layout.ts";
import { type LoginService, startLoginService } from "./login-service.ts";
import { nginxBackend, nginxSession, startNginxFront } from "./nginx-front.ts";
import { people } from "./people.ts";
import { type IdentityHeaders, pushWith, type Trick, tricks } from "./tricks.ts";

let provider: OpenIdProvider;
let behindApache: Layout;
let behindNginx: Layout;
let apache: Apache;
let login: LoginService;
let nginx: Nginx;
let browser: Browser;
/** Mallory's, at either front. */
let cookies: { readonly apache: string; readonly nginx: string };

beforeAll(async () => {
  provider = await startOpenIdProvider({ people });
  behindApache = await startLayout({ backends: [apacheBackend] });
  behindNginx = await startLayout({ backends: [nginxBackend] });
  apache = await startApacheFront(provider, behindApache.frontPort);
  login = await startLoginService();
  nginx = await startNginxFront(login, behindNginx.frontPort);
  browser = await startChromium();
  cookies = {
    apache: (await apacheSession(browser, apache, "mallory")).headers.cookie,
    nginx: (await nginxSession(nginx, "mallory")).cookie,
  };
});

afterAll(async () => {
  for (const part of [browser, apache, nginx, login, behindApache, behindNginx, provider]) await part?.close();
});

const oidc: IdentityHeaders = { user: "OIDC_CLAIM_preferred_username", groups: "OIDC_CLAIM_groups" };
const forwarded: IdentityHeaders = { user: "X-Forwarded-User", groups: "X-Forwarded-Groups" };
const portOf = ({ gate }: Layout): number => Number(new URL(gate.url).port);

/** How a hostile client comes to the gate. */
interface Way {
  readonly name: string;
  readonly headers: IdentityHeaders;
  readonly layout: () => Layout;
  readonly port: () => number;
  /** Of Mallory's session. */
  readonly cookie?: () => string;
}

const ways: readonly Way[] = [
  {
    name: "around Apache, from an address that is not trusted",
    headers: oidc,
    layout: () => behindApache,
    port: () => portOf(behindApache),
  },
  {
    name: "around nginx, from an address that is not trusted",
    headers: forwarded,
    layout: () => behindNginx,
    port: () => portOf(behindNginx),
  },
  { name: "through Apache, without a session", headers: oidc, layout: () => behindApache, port: () => apache.port },
  { name: "through nginx, without a session", headers: forwarded, layout: () => behindNginx, port: () => nginx.port },
  {
    name: "through Apache, as Mallory",
    headers: oidc,
    layout: () => behindApache,
    port: () => apache.port,
    cookie: () => cookies.apache,
  },
  {
    name: "through nginx, as Mallory",
    headers: forwarded,
    layout: () => behindNginx,
    port: () => nginx.port,
    cookie: () => cookies.nginx,
  },
];

let count = 0;

/** Begins a push with a trick, and tells the status and whom the gate took the caller for. */
async function attempt({ headers, layout, port, cookie }: Way, trick: Trick, namespace: string) {
  const repository = `${namespace}/r${count++}`;
  const more = cookie === undefined ? [] : [`Cookie: ${cookie()}`];
  const response = await exchange(port(), pushWith(trick, headers, repository, more));
  const status = statusIn(response);
  // What neither the front nor the gate's parser takes for a request is in no record, nor is what the gate did not read.
  const judged = status !== 400 && status < 500;
  const username = judged ? (await recordOf(layout().gate, repository)).username : undefined;
  return { status, username, byGate: response.includes('{"errors":[') };
}

describe.each(ways)("$name,", (way) => {
  test.each(tricks)("$name authenticates nobody", async (trick) => {
    const { status, username } = await attempt(way, trick, "team");
    if (status === 403) {
      expect(way.cookie).toBeDefined();
      expect(username).toBe("mallory");
    } else {
      expect([400, 401, 500, 501]).toContain(status);
      expect(username).toBeUndefined();
    }
  });
});

/** Of a request for which the caller has sent no header of their own. */
const allowed = [
  ...["connection", "content-length", "host", "transfer-encoding"],
  ...["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"],
];

test.each(ways.filter(({ cookie }) => cookie !== undefined))(
  "$name, Mallory stays Mallory, and the registry hears nothing of what she sends along",
  async (way) => {
    let passed = 0;
    for (const trick of tricks) {
      const { status, username } = await attempt(way, trick, "mallory");
      if (status === 202) passed += 1;
      expect(username, trick.name).toBe(status === 202 ? "mallory" : undefined);
    }
    expect(passed).toBeGreaterThan(20);
    const heard = way.layout().toRegistry();
    expect(heard.match(/^POST /gm)).toHaveLength(passed);
    expect(heard).not.toMatch(/admin|pushers|visitors|smuggled|session|secret/i);
    for (const [, name = ""] of heard.matchAll(/^([^\s:]+):/gm)) expect(allowed).toContain(name.toLowerCase());
  },
);

describe("what looks like an identity header and is not", () => {
  const named = (name: string): Trick => {
    const trick = tricks.find((one) => one.name === name);
    if (trick === undefined) throw new Error(`there is no trick ${name}`);
    return trick;
  };

  test.each(["with underscores for hyphens", "with dots"])(
    "is refused by the gate itself, %s, where nginx lets it through",
    async (name) => {
      for (const way of ways.filter(({ port }) => port() === nginx.port)) {
        expect(await attempt(way, named(name), "team")).toEqual({ status: 400, username: undefined, byGate: true });
      }
      expect(behindNginx.fromFront()).toMatch(/^X[_.]Forwarded[_.]User: admin\r$/m);
    },
  );

  test("is refused by the gate itself if the header is duplicated", async () => {
    for (const way of ways.slice(0, 2)) {
      expect(await attempt(way, named("twice"), "team")).toEqual({ status: 400, username: undefined, byGate: true });
    }
  });
});

test("the tricks would do what they mean to, if the gate trusted who sends them", async () => {
  const [plain] = tricks;
  if (plain === undefined) throw new Error("there are no tricks");
  const fromFront = (layout: Layout, headers: IdentityHeaders): Promise<string> =>
    exchange(layout.frontPort, pushWith(plain, headers, "team/control", []));
  expect(statusIn(await fromFront(behindApache, oidc))).toBe(202);
  expect(await recordOf(behindApache.gate, "team/control")).toMatchObject({ username: "admin", decision: "allowed" });
  // nginx must show its secret as well.
  expect(statusIn(await fromFront(behindNginx, forwarded))).toBe(401);
  expect(await recordOf(behindNginx.gate, "team/control")).toMatchObject({
    reason: "sso-header: the proxy's shared secret is missing",
  });
});

test("never took a client for another user or another address", async () => {
  for (const { gate } of [behindApache, behindNginx]) {
    await gate.settled();
    const requests = gate.lines().filter(({ event }) => event === "request");
    expect(requests.length).toBeGreaterThan(2 * tricks.length);
    for (const { username, repository, client } of requests) {
      if (repository === "team/control") continue;
      expect([undefined, "mallory"]).toContain(username);
      expect(repository).not.toBe("team/smuggled");
      expect(client).toBe("127.0.0.1");
    }
  }
});

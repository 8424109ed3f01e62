import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Apache } from "../support/apache.ts";
import { basic } from "../support/basic.ts";
import { startChromium } from "../support/chromium.ts";
import { type OpenIdProvider, startOpenIdProvider } from "../support/open-id-provider.ts";
import { passwordFile } from "../support/password-file.ts";
import { pushImage } from "../support/registry-content.ts";
import { type ApacheSession, apacheBackend, apacheSession, startApacheFront } from "./apache-front.ts";
import { type Layout, recordOf, startLayout } from "./layout.ts";
import { people } from "./people.ts";

let provider: OpenIdProvider;
let layout: Layout;
let apache: Apache;
let browser: Browser;

beforeAll(async () => {
  provider = await startOpenIdProvider({ people });
  layout = await startLayout(
    {
      backends: [apacheBackend, { type: "htpasswd", file: "htpasswd", groupFile: "groups" }],
    },
    { htpasswd: await passwordFile({ alice: "alice-file", robot: "robot-file" }), groups: "pushers: robot\n" },
  );
  apache = await startApacheFront(provider, layout.frontPort);
  browser = await startChromium();
});

afterAll(async () => {
  await browser?.close();
  await apache?.close();
  await layout?.close();
  await provider?.close();
});

const sessionOf = (username: keyof typeof people): Promise<ApacheSession> => apacheSession(browser, apache, username);

/** Calls the registry's API out of a page, as a portal's script does. */
function callFrom(page: Page, method: string, path: string, credentials: "include" | "omit" = "include") {
  return page.evaluate(
    async ({ path, ...options }) => {
      const headers = { accept: "application/vnd.docker.distribution.manifest.v2+json" };
      return (await fetch(path, { ...options, headers })).status;
    },
    { method, path, credentials },
  );
}

describe("a person who has signed in at Apache with Chromium", () => {
  test("pushes as a member of the group, and pulls, with the session alone", async () => {
    const { page, headers } = await sessionOf("alice");
    expect(await page.title()).toBe("The portal");
    const image = await pushImage({ url: apache.url, headers }, "team/app", "v1", "a layer");
    expect(await callFrom(page, "GET", "/v2/team/app/manifests/v1")).toBe(200);
    expect(await callFrom(page, "GET", `/v2/team/app/blobs/${image.blob}`)).toBe(200);
    expect(await recordOf(layout.gate, "team/app")).toMatchObject({
      username: "alice",
      backend: "sso-header",
      decision: "allowed",
      client: "127.0.0.1",
    });
  });

  test("is denied what the rules do not allow", async () => {
    const { page } = await sessionOf("alice");
    expect(await callFrom(page, "POST", "/v2/elsewhere/app/blobs/uploads/")).toBe(403);
  });

  test("is in no group but her own, whatever stands in the name of one", async () => {
    const { page } = await sessionOf("mallory");
    expect(await callFrom(page, "POST", "/v2/team/mallory/blobs/uploads/")).toBe(403);
    expect(await recordOf(layout.gate, "team/mallory")).toMatchObject({ username: "mallory", decision: "denied" });
    expect(layout.fromFront()).toContain("OIDC_CLAIM_groups: staff;visitors,pushers\r\n");
  });

  test("may have a name beyond ASCII", async () => {
    const { page } = await sessionOf("zoë");
    expect(await callFrom(page, "POST", "/v2/team/zoe/blobs/uploads/")).toBe(202);
    expect(await recordOf(layout.gate, "team/zoe")).toMatchObject({ username: "zoë" });
  });

  test("is a stranger again where the session is not", async () => {
    const { page } = await sessionOf("alice");
    expect(await callFrom(page, "GET", "/v2/team/app/manifests/v1", "omit")).toBe(401);
  });
});

describe("a docker client before the same Apache", () => {
  const begin = (repository: string, headers: Record<string, string>): Promise<Response> =>
    fetch(`${apache.url}/v2/${repository}/blobs/uploads/`, { method: "POST", headers });

  test("is asked for a password, and logs in with one", async () => {
    const asked = await fetch(`${apache.url}/v2/`);
    expect(asked.status).toBe(401);
    expect(asked.headers.get("www-authenticate")).toBe('Basic realm="Registry realm"');
    expect((await begin("team/robot", basic("robot", "robot-file"))).status).toBe(202);
    expect(await recordOf(layout.gate, "team/robot")).toMatchObject({ username: "robot", backend: "htpasswd" });
    expect((await begin("team/robot", basic("robot", "wrong"))).status).toBe(401);
  });

  test("is refused with 400 where its login is not that of the session", async () => {
    const { headers } = await sessionOf("alice");
    const response = await begin("team/both", { ...headers, ...basic("robot", "robot-file") });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ code: "UNSUPPORTED" }] });
    expect(await recordOf(layout.gate, "team/both")).toMatchObject({
      decision: "refused",
      reason: "sso-header: the header and the Basic login name two different users",
    });
    const same = await begin("team/same", { ...headers, ...basic("alice", "alice-file") });
    expect(same.status).toBe(202);
    expect(await recordOf(layout.gate, "team/same")).toMatchObject({ username: "alice", backend: "sso-header" });
  });
});

test("the registry hears of neither sessions, logins nor identities", () => {
  const heard = layout.toRegistry();
  expect(heard).toContain("POST /v2/team/app/blobs/uploads/");
  expect(heard).not.toMatch(/^(?:oidc|cookie|authorization|x-forwarded-user|remote)/im);
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { directoryBackend } from "../support/directory-backend.ts";
import type { Nginx } from "../support/nginx.ts";
import { exchange, statusIn } from "../support/raw-http.ts";
import { pushImage } from "../support/registry-content.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { type Layout, recordOf, startLayout } from "./layout.ts";
import { type LoginService, startLoginService } from "./login-service.ts";
import { nginxBackend, nginxSession, startNginxFront } from "./nginx-front.ts";

let slapd: Slapd;
let layout: Layout;
let login: LoginService;
let nginx: Nginx;
let url: string;

beforeAll(async () => {
  slapd = await startSlapd();
  layout = await startLayout({ backends: [nginxBackend, directoryBackend(slapd)] });
  login = await startLoginService();
  nginx = await startNginxFront(login, layout.frontPort);
  url = `http://localhost:${nginx.port}`;
});

afterAll(async () => {
  for (const part of [nginx, login, layout, slapd]) await part?.close();
});

const begin = (repository: string, headers: Record<string, string>): Promise<Response> =>
  fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST", headers });

describe("a user who has signed in at the login service of nginx", () => {
  test("pushes as a member of the group, and pulls, with the session alone", async () => {
    const headers = await nginxSession(nginx, "alice");
    const { blob } = await pushImage({ url, headers }, "team/app", "v1", "a layer");
    const pulled = await fetch(`${url}/v2/team/app/blobs/${blob}`, { headers });
    expect(await pulled.text()).toBe("a layer");
    expect(await recordOf(layout.gate, "team/app")).toMatchObject({ username: "alice", backend: "sso-header" });
  });

  test("is denied what only members of another group may", async () => {
    expect((await begin("team/mallory", await nginxSession(nginx, "mallory"))).status).toBe(403);
    expect(await recordOf(layout.gate, "team/mallory")).toMatchObject({ username: "mallory", decision: "denied" });
  });
});

describe("a docker client before the same nginx", () => {
  test("logs in with the password of the directory", async () => {
    expect((await begin("team/bob", basic("bob", "bobpw"))).status).toBe(202);
    expect(await recordOf(layout.gate, "team/bob")).toMatchObject({ username: "bob", backend: "ldap" });
    expect((await begin("team/bob", basic("bob", "wrong"))).status).toBe(401);
    expect((await begin("team/carol", basic("carol", "carolpw"))).status).toBe(403);
    expect((await begin("team/nobody", {})).headers.get("www-authenticate")).toBe('Basic realm="Registry realm"');
  });

  test("is refused with 400 where its login is not that of the session, and the directory is not asked", async () => {
    const session = await nginxSession(nginx, "alice");
    const asked = await slapd.logOf(async () => {
      expect((await begin("team/both", { ...session, ...basic("carol", "carolpw") })).status).toBe(400);
    });
    const record = await recordOf(layout.gate, "team/both");
    expect(record).toMatchObject({ decision: "refused" });
    expect(record).not.toHaveProperty("username");
    expect(asked).not.toContain("BIND");
  });
});

describe("a program on nginx's machine that is not nginx", () => {
  const push = (repository: string, ...lines: string[]): Promise<string> =>
    exchange(
      layout.frontPort,
      [
        `POST /v2/${repository}/blobs/uploads/ HTTP/1.1`,
        ...["Host: localhost", "Connection: close", "Content-Length: 0", "X-Forwarded-User: admin", ...lines, "", ""],
      ].join("\r\n"),
    );

  test.each([
    ["without the secret", "team/none", "missing", []],
    ["with another one", "team/other", "wrong", ["X-Gate-Secret: the-secret-of-nginy"]],
    ["with a piece of it", "team/piece", "wrong", [`X-Gate-Secret: ${nginxBackend.sharedSecret.value.slice(0, -1)}`]],
  ])("names nobody %s", async (_, repository, fault, lines) => {
    expect(statusIn(await push(repository, ...lines))).toBe(401);
    const record = await recordOf(layout.gate, repository);
    expect(record).toMatchObject({ reason: `sso-header: the proxy's shared secret is ${fault}` });
    expect(record).not.toHaveProperty("username");
  });

  test("would be nginx with it", async () => {
    expect(statusIn(await push("team/right", `X-Gate-Secret: ${nginxBackend.sharedSecret.value}`))).toBe(202);
    expect(await recordOf(layout.gate, "team/right")).toMatchObject({ username: "admin" });
  });
});

test("the registry hears of neither sessions, logins, identities nor the secret", async () => {
  await layout.gate.settled();
  const heard = layout.toRegistry();
  expect(heard).toContain("POST /v2/team/app/blobs/uploads/");
  expect(heard).not.toMatch(/^(?:cookie|authorization|x-forwarded-user|x-forwarded-groups|x-gate-secret)/im);
  expect(heard + layout.gate.output()).not.toContain(nginxBackend.sharedSecret.value);
});

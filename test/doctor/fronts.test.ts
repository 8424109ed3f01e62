import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { type Diagnosis, doctor } from "./doctor.ts";
import { type FrontSettings, type Scene, startFront, startScene } from "./scene.ts";

let basic: Scene;
let bearer: Scene;

beforeAll(async () => {
  basic = await startScene();
  bearer = await startScene({ auth: { challenge: "bearer" } }, basic.registry);
});

afterAll(async () => {
  await bearer.stack.close();
  await basic.stack.close();
});

async function examineBehind(settings: FrontSettings, { gate } = basic, more: readonly string[] = []) {
  const front = await startFront(gate.url, settings);
  onTestFinished(() => front.close());
  return doctor(["--url", `http://127.0.0.1:${front.port}`, ...more]);
}

function seen({ findings }: Diagnosis, id: string): string | undefined {
  return findings.find((finding) => finding.id === id)?.seen;
}

/** Those of the repository that is pushed to, seen around the gate. */
async function tags(): Promise<readonly string[]> {
  const response = await fetch(`${basic.registry.url}/v2/registry-gate-doctor/tags/list`);
  const { tags: found }: { tags?: readonly string[] | null } = Object(await response.json());
  return found ?? [];
}

const jsonError = (code: string, message: string): string =>
  `return 503 '{"errors":[{"code":"${code}","message":"${message}"}]}';`;
const page = "proxy_intercept_errors on;";

/** Findings that are failures, by what nginx is told. */
test.each<[id: string, front: string, settings: FrontSettings, ids?: readonly string[]]>([
  ["body-limit-front", "limits bodies", { without: ["size"], server: "client_max_body_size 100k;" }],
  ["unexpected-response", "fails", { location: "if ($request_method = POST) { return 500; }" }],
  ["version-header", "hides the version header", { location: "proxy_hide_header Docker-Distribution-Api-Version;" }],
  ["location-missing", "hides Location", { location: "proxy_hide_header Location;" }],
  ["location-scheme", "gives Location another scheme", { location: "proxy_redirect / https://$http_host/;" }],
  ["location-host", "gives Location an inner host", { location: "proxy_redirect / http://registry-behind:5000/;" }],
  ["location-port", "loses the port in Location", { location: "proxy_redirect / http://127.0.0.1/;" }],
  ["location-outside", "puts a prefix before Location", { location: "proxy_redirect /v2/ /registry/v2/;" }],
  ["login-page", "shows a page to sign in on", { location: `${page} error_page 401 =200 /pages/login.html;` }],
  [
    "login-page",
    "redirects to a page to sign in on",
    {
      location: `${page} error_page 401 = @login;`,
      server: "location @login { return 302 https://login.example.com/; }",
    },
  ],
  ["html-errors", "has a page of its own for 404", { location: `${page} error_page 404 /pages/missing.html;` }],
  ["no-challenge", "hides the challenge", { location: "proxy_hide_header WWW-Authenticate;" }],
  [
    "cached",
    "caches",
    {
      http: "proxy_cache_path cache keys_zone=registry:1m;",
      location:
        "proxy_cache registry; proxy_cache_valid any 1m; proxy_ignore_headers Cache-Control Vary Set-Cookie Expires;",
    },
  ],
  ["expect-refused", "refuses Expect", { location: 'if ($http_expect != "") { return 417; }' }],
  ["chunked-refused", "wants a Content-Length", { location: 'if ($http_transfer_encoding != "") { return 411; }' }],
  [
    "content-changed",
    "changes content",
    { location: "sub_filter_types *; sub_filter amd64 arm64; sub_filter '\"size\"' '\"Size\"';" },
  ],
  [
    "read-only",
    "has maintenance in words",
    {
      location: `default_type application/json; if ($request_method = POST) { ${jsonError("UNAVAILABLE", "read-only for maintenance")} }`,
    },
  ],
  [
    "unavailable",
    "has too much to do",
    {
      location: `default_type application/json; if ($request_method = POST) { ${jsonError("UNAVAILABLE", "too many concurrent requests")} }`,
    },
  ],
  [
    "not-a-registry",
    "is a web server",
    { server: "location = /v2/ { return 404; }" },
    ["html-errors", "not-a-registry"],
  ],
  [
    "left-behind",
    "says that all is deleted",
    { location: "if ($request_method = DELETE) { return 404; }" },
    ["html-errors", "left-behind"],
  ],
])("finds %s behind nginx that %s", async (id, _, settings, ids = [id]) => {
  const before = await tags();
  const diagnosis = await examineBehind(settings);
  expect([...diagnosis.ids].sort()).toEqual([...ids].sort());
  // Also where it fails half-way.
  if (id !== "left-behind") expect(await tags()).toEqual(before);
  expect(diagnosis).toMatchObject(
    id === "expect-refused" ? { code: 0, outcome: "ok" } : { code: 1, outcome: "failed" },
  );
});

test.each<[id: string, front: string, settings: FrontSettings]>([
  ["authorization-lost", "drops Authorization", { location: 'proxy_set_header Authorization "";' }],
  ["header-limit", "limits headers", { server: "client_header_buffer_size 1k; large_client_header_buffers 4 4k;" }],
  ["token-unusable", "has a page in place of tokens", { server: "location = /v2/auth { return 200 '{}'; }" }],
  [
    "realm-invalid",
    "makes the realm relative",
    {
      location: `proxy_hide_header WWW-Authenticate; add_header WWW-Authenticate 'Bearer realm="/v2/auth",service="$http_host"' always;`,
    },
  ],
  [
    "realm-host",
    "names an inner host",
    { http: "", without: ["host"], location: "proxy_set_header Host gate-behind;" },
  ],
])("finds %s with tokens behind nginx that %s", async (id, _, settings) => {
  const diagnosis = await examineBehind(settings, bearer);
  expect(diagnosis).toMatchObject({ code: 1, ids: [id] });
});

test("warns of a front that stores bodies before it passes them on", async () => {
  const diagnosis = await examineBehind({ without: ["buffering"] });
  expect(diagnosis).toMatchObject({ code: 0, ids: ["body-buffered"] });
});

test("finds a front that does not reach the gate", async () => {
  const diagnosis = await examineBehind({ to: `http://127.0.0.1:${await freePort()}` });
  expect(diagnosis).toMatchObject({ code: 1, ids: ["gate-down"] });
});

test("tells a limit of what is behind the gate from one of a front", async () => {
  const between = await startFront(basic.registry.url, { without: ["size"], server: "client_max_body_size 100k;" });
  onTestFinished(() => between.close());
  const url = `http://127.0.0.1:${between.port}`;
  const { gate, stack } = await startScene({ upstream: { url } }, basic.registry);
  onTestFinished(() => stack.close());
  const diagnosis = await doctor(["--url", gate.url]);
  expect(diagnosis.ids).toEqual(["body-limit-behind"]);
});

test("finds a front that cuts slow uploads off, when asked to try one", async () => {
  const settings = { server: "client_body_timeout 1s;" };
  const [quick, slow] = [await examineBehind(settings), await examineBehind(settings, basic, ["--slow", "9s"])];
  expect(quick).toMatchObject({ code: 0, ids: [] });
  expect(slow).toMatchObject({ code: 1, ids: ["slow-cut"] });
});

test("has an upload that takes long pass where nobody cuts it off", async () => {
  expect(await doctor(["--url", basic.gate.url, "--slow", "3s"])).toMatchObject({ code: 0, ids: [] });
});

test("names the host of a Location that clients cannot reach, and goes on by the gate's own", async () => {
  const location = "proxy_redirect / http://127.0.0.1:1/;";
  const diagnosis = await examineBehind({ location });
  expect(seen(diagnosis, "location-port")).toMatch(
    /Location: http:\/\/127\.0\.0\.1:1\/v2\/.*cannot be reached from here/,
  );
  expect(diagnosis.steps.find(({ step }) => step === "pull")).toMatchObject({ outcome: "ok" });
});

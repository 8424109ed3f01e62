import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closingStack } from "../support/closing-stack.ts";
import { startNginx } from "../support/nginx.ts";
import { nginxRecipe } from "../support/nginx-recipe.ts";
import { passwordFile } from "../support/password-file.ts";
import type { ScriptedUpstream } from "../support/upstream.ts";
import { differences, probesFor, startImported, startOpenRegistry } from "./side-by-side.ts";

/** What `registry-gate import` makes of configurations of nginx, side by side with nginx itself. */

const { keep, close } = closingStack();
let registry: ScriptedUpstream;
let htpasswd: string;

beforeAll(async () => {
  registry = await keep(startOpenRegistry());
  htpasswd = await passwordFile({ alice: "alicepw", bob: "bobpw" });
});

afterAll(close);

/** Both, with the same file. */
async function start(http: (port: number) => string) {
  const nginx = await keep(
    startNginx({ http, files: { htpasswd, other: htpasswd, "deny.conf": "limit_except GET { deny all; }\n" } }),
  );
  const imported = await startImported(join(nginx.directory, "nginx.conf"));
  await keep(Promise.resolve(imported.gate));
  return { url: `http://127.0.0.1:${nginx.port}`, ...imported };
}

const login = `auth_basic "Registry realm"; auth_basic_user_file htpasswd;`;
const server = (port: number, content: string, outer = ""): string =>
  `${outer} server { listen 127.0.0.1:${port}; client_max_body_size 0; ${content} }`;
const pass = (): string => `proxy_pass ${registry.url}; proxy_set_header Host $http_host;`;
const repositories = ["team/app", "public/app", "publicity/app"];

type Case = readonly [title: string, http: (port: number) => string];

const exact: readonly Case[] = [
  ["Docker's recipe", (port) => nginxRecipe({ port, registry: new URL(registry.url).host, passwordFile: "htpasswd" })],
  [
    "anonymous pulls by limit_except",
    (port) => server(port, `location /v2/ { ${pass()} limit_except GET HEAD { ${login} } }`),
  ],
  [
    "pulls alone by an included limit_except",
    (port) => server(port, `location /v2/ { ${login} ${pass()} include deny.conf; }`),
  ],
  [
    "a realm mapped from the method",
    (port) =>
      server(
        port,
        `location /v2/ { auth_basic $realm; auth_basic_user_file htpasswd; ${pass()} }`,
        'map $request_method $realm { GET off; HEAD off; default "Registry realm"; }',
      ),
  ],
  [
    "methods refused by if",
    (port) =>
      server(
        port,
        `location /v2/ { if ($request_method !~ ^(GET|HEAD|POST|PUT|PATCH)$) { return 403; } ${login} ${pass()} }`,
      ),
  ],
  [
    "a public location by prefix",
    (port) => server(port, `${login} location / { ${pass()} } location /v2/public/ { auth_basic off; ${pass()} }`),
  ],
  [
    "a prefix without a slash at its end",
    (port) => server(port, `${login} location /v2/ { ${pass()} } location /v2/public { auth_basic off; ${pass()} }`),
  ],
  [
    "a closed location, and one of the whole registry by a regular expression",
    (port) =>
      server(
        port,
        `${login} location ~ ^/v2/ { ${pass()} } location ^~ /v2/public/ { return 403; } location / { return 404; }`,
      ),
  ],
  [
    "satisfy any with a login or a refused address",
    (port) => server(port, `location /v2/ { satisfy any; deny all; ${login} ${pass()} }`),
  ],
];

describe("an imported configuration of nginx decides as nginx does, and passes check", () => {
  test.each(exact)(
    "with %s",
    async (_, http) => {
      const { url, gate, check, yaml } = await start(http);
      expect(check.code, `${check.said}${yaml}`).toBe(0);
      const { wider, narrower, allowed } = await differences(url, gate.url, probesFor(repositories));
      expect({ wider, narrower }, yaml).toEqual({ wider: [], narrower: [] });
      expect(allowed).toBeGreaterThan(0);
    },
    300_000,
  );
});

const inDoubt: readonly (readonly [...Case, note: RegExp])[] = [
  [
    "addresses that are allowed",
    (port) => server(port, `location /v2/ { allow 127.0.0.2; deny all; ${login} ${pass()} }`),
    /:\d+: deny all: cannot be carried over/,
  ],
  [
    "an address that is denied",
    (port) => server(port, `location /v2/ { deny 127.0.0.1; allow all; ${login} ${pass()} }`),
    /:\d+: deny 127\.0\.0\.1: cannot be carried over/,
  ],
  [
    "another password file for some repositories",
    (port) =>
      server(
        port,
        `location /v2/ { ${login} ${pass()} } location /v2/public/ { auth_basic x; auth_basic_user_file other; ${pass()} }`,
      ),
    /auth_basic_user_file other: another password file/,
  ],
  [
    "a condition on the user",
    (port) => server(port, `location /v2/ { if ($remote_user = bob) { return 403; } ${login} ${pass()} }`),
    /if \(\$remote_user: /,
  ],
  [
    "a regular expression that takes some repositories out",
    (port) => server(port, `${login} location /v2/ { ${pass()} } location ~ /public/ { return 403; }`),
    /location ~: which repositories it is for cannot be told/,
  ],
  [
    "a request to another service for each",
    (port) =>
      server(
        port,
        `location = /whoami { internal; return 403; } location /v2/ { auth_request /whoami; ${login} ${pass()} }`,
      ),
    /auth_request \/whoami: cannot be carried over/,
  ],
  [
    "a location for a kind of request",
    (port) => server(port, `${login} location /v2/ { ${pass()} } location /v2/team/app/manifests/ { return 403; }`),
    /location \/v2\/team\/app\/manifests\/: which repositories/,
  ],
];

describe("an imported configuration of nginx is never wider, and names the line by number", () => {
  test.each(inDoubt)(
    "with %s",
    async (_, http, note) => {
      const { url, gate, check, yaml, notes } = await start(http);
      expect(check.code, `${check.said}${yaml}`).toBe(0);
      const { wider } = await differences(url, gate.url, probesFor(repositories));
      expect(wider, yaml).toEqual([]);
      expect(notes).toMatch(note);
    },
    300_000,
  );
});

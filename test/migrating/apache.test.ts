import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApache } from "../support/apache.ts";
import { closingStack } from "../support/closing-stack.ts";
import { passwordFile } from "../support/password-file.ts";
import { startSlapd } from "../support/slapd.ts";
import type { ScriptedUpstream } from "../support/upstream.ts";
import { differences, probesFor, startImported, startOpenRegistry } from "./side-by-side.ts";

/** What `registry-gate import` makes of configurations of Apache, side by side with Apache itself. */

const { keep, close } = closingStack();
let registry: ScriptedUpstream;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-migrating-"));
  await keep(Promise.resolve({ close: () => rm(directory, { recursive: true, force: true }) }));
  registry = await keep(startOpenRegistry());
  // Apache's processes run as another user.
  const mode = { mode: 0o644 };
  await writeFile(join(directory, "htpasswd"), await passwordFile({ alice: "alicepw", bob: "bobpw" }), mode);
  await writeFile(join(directory, "groups"), "pushers: alice\nreaders: alice bob\n", mode);
  await chmod(directory, 0o755);
});

afterAll(close);

const modules = [
  "auth_basic",
  "authn_file",
  "authz_groupfile",
  "authz_host",
  "access_compat",
  "ldap",
  "authnz_ldap",
  "rewrite",
];

let files = 0;

/** Both, with the same lines. */
async function start(lines: readonly string[]) {
  const configuration = [
    `ProxyPass /v2 ${registry.url}/v2`,
    `ProxyPassReverse /v2 ${registry.url}/v2`,
    "ProxyPreserveHost on",
    ...lines,
  ];
  const apache = await keep(startApache({ modules, configuration: async () => configuration }));
  const file = join(directory, `apache-${++files}.conf`);
  await writeFile(file, ["Listen 127.0.0.1:80", ...configuration, ""].join("\n"));
  const imported = await startImported(file);
  await keep(Promise.resolve(imported.gate));
  return { url: apache.url.replace("localhost", "127.0.0.1"), ...imported };
}

const login = (): readonly string[] => [
  'AuthName "Registry Authentication"',
  "AuthType basic",
  `AuthUserFile "${directory}/htpasswd"`,
  `AuthGroupFile "${directory}/groups"`,
];
const repositories = ["team/app", "public/app", "publicity/app"];

type Case = readonly [title: string, lines: () => readonly string[]];

const exact: readonly Case[] = [
  [
    "Docker's recipe, where a group pushes",
    () => [
      "<Location /v2>",
      "Order deny,allow",
      "Allow from all",
      ...login(),
      "<Limit GET HEAD>",
      "Require valid-user",
      "</Limit>",
      "<Limit POST PUT DELETE PATCH>",
      "Require group pushers",
      "</Limit>",
      "</Location>",
    ],
  ],
  [
    "LimitExcept",
    () => [
      "<Location /v2>",
      ...login(),
      "<Limit GET>",
      "Require group readers",
      "</Limit>",
      "<LimitExcept GET>",
      "Require user bob",
      "</LimitExcept>",
      "</Location>",
    ],
  ],
  [
    "several ways in",
    () => ["<Location /v2/>", ...login(), "Require user bob", "Require group pushers", "</Location>"],
  ],
  [
    "anonymous pulls",
    () => [
      "<Location /v2>",
      ...login(),
      "<Limit GET>",
      "Require all granted",
      "</Limit>",
      "<LimitExcept GET>",
      "Require valid-user",
      "</LimitExcept>",
      "</Location>",
    ],
  ],
  [
    "a section of its own for some repositories",
    () => [
      "<Location /v2>",
      ...login(),
      "Require valid-user",
      "</Location>",
      "<Location /v2/public>",
      "Require group pushers",
      "</Location>",
    ],
  ],
  [
    "an inner section that an outer one follows",
    () => [
      "<Location /v2/public>",
      "Require all denied",
      "</Location>",
      "<Location /v2>",
      ...login(),
      "Require valid-user",
      "</Location>",
    ],
  ],
];

describe("an imported configuration of Apache decides as Apache does, and passes check", () => {
  test.each(exact)(
    "with %s",
    async (_, lines) => {
      const { url, gate, check, yaml } = await start(lines());
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
    "methods that no Require is for",
    () => [
      "<Location /v2>",
      ...login(),
      "<Limit POST PUT PATCH DELETE>",
      "Require group pushers",
      "</Limit>",
      "</Location>",
    ],
    /<Location \/v2>: has no Require for GET, HEAD: they are denied/,
  ],
  [
    "conditions that all have to be met",
    () => [
      "<Location /v2>",
      ...login(),
      "<RequireAll>",
      "Require valid-user",
      "Require not user bob",
      "</RequireAll>",
      "</Location>",
    ],
    /:\d+: <RequireAll>: cannot be carried over/,
  ],
  [
    "addresses",
    () => ["<Location /v2>", ...login(), "Require ip 127.0.0.2", "Require user alice", "</Location>"],
    /:\d+: Require ip: cannot be carried over/,
  ],
  [
    "addresses in the old way",
    () => [
      "<Location /v2>",
      "Order allow,deny",
      "Allow from 127.0.0.2",
      ...login(),
      "Require valid-user",
      "</Location>",
    ],
    /:\d+: Order allow,deny: cannot be carried over/,
  ],
  [
    "a section by a regular expression",
    () => [
      "<Location /v2>",
      ...login(),
      "Require valid-user",
      "</Location>",
      "<LocationMatch public>",
      "Require all denied",
      "</LocationMatch>",
    ],
    /<LocationMatch public>: what it is for cannot be told/,
  ],
  [
    "a section by a pattern",
    () => [
      "<Location /v2>",
      ...login(),
      "Require valid-user",
      "</Location>",
      '<Location "/v?/team">',
      "Require user alice",
      "</Location>",
    ],
    /<Location \/v\?\/team>: what it is for cannot be told/,
  ],
  [
    "what outer sections demand too",
    () => [
      "<Location /v2>",
      ...login(),
      "Require user alice",
      "</Location>",
      "<Location /v2/team>",
      "AuthMerging And",
      "Require valid-user",
      "</Location>",
    ],
    /AuthMerging And: cannot be carried over/,
  ],
  [
    "a rewriting that refuses within a section",
    () => [
      "<Location /v2>",
      ...login(),
      "Require valid-user",
      "RewriteEngine on",
      "RewriteRule team - [R=403]",
      "</Location>",
    ],
    /RewriteRule team: cannot be carried over/,
  ],
  [
    "a part that is not proxied",
    () => [
      "<Location /v2>",
      ...login(),
      "Require valid-user",
      "</Location>",
      "<Location /v2/team>",
      "ProxyPass !",
      "</Location>",
    ],
    /ProxyPass !: not proxied to this registry/,
  ],
];

describe("an imported configuration of Apache is never wider, and names the line by number", () => {
  test.each(inDoubt)(
    "with %s",
    async (_, lines, note) => {
      const { url, gate, check, yaml, notes } = await start(lines());
      expect(check.code, `${check.said}${yaml}`).toBe(0);
      const { wider } = await differences(url, gate.url, probesFor(repositories));
      expect(wider, yaml).toEqual([]);
      expect(notes).toMatch(note);
    },
    300_000,
  );
});

test("carries a directory over, with its groups by their names", async () => {
  const slapd = await keep(startSlapd());
  const groups = "ou=groups,dc=example,dc=org";
  await slapd.modify(
    `dn: cn=importers,${groups}\nchangetype: add\nobjectClass: groupOfNames\ncn: importers\nmember: uid=alice,ou=people,dc=example,dc=org\n`,
  );
  const { url, gate, check, yaml } = await start([
    "<Location /v2>",
    'AuthName "Registry"',
    "AuthType Basic",
    "AuthBasicProvider ldap",
    `AuthLDAPURL "${slapd.url}/ou=people,dc=example,dc=org?uid?sub?(objectClass=inetOrgPerson)" NONE`,
    'AuthLDAPBindDN "cn=gate,dc=example,dc=org"',
    'AuthLDAPBindPassword "gatepw"',
    "<Limit GET HEAD>",
    "Require valid-user",
    "</Limit>",
    "<LimitExcept GET HEAD>",
    `Require ldap-group cn=importers,${groups}`,
    "</LimitExcept>",
    "</Location>",
  ]);
  expect(check.code, `${check.said}${yaml}`).toBe(0);
  const { wider, narrower, allowed } = await differences(url, gate.url, probesFor(["team/app"]));
  expect({ wider, narrower }, yaml).toEqual({ wider: [], narrower: [] });
  expect(allowed).toBe(2 * 2 + 3);
}, 300_000);

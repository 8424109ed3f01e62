import { formatFault } from "@registry-gate/auth";
import { expect, test } from "vitest";
import { readConfiguration } from "../src/config/parse.ts";

test("merges maps with <<, as compose files do, and passes over keys that begin with x-", () => {
  const text = `
x-rule: &rule { subjects: [authenticated], repositories: ["**"], actions: [pull] }
x-ldap: &ldap
  type: ldap
  urls: [ldaps://ldap.example.com]
  timeout: 2s
x-note: \${NO_SUCH_VARIABLE}
listen: { address: "127.0.0.1:0", x-note: 1 }
upstream: { url: "http://r", x-url: "\${NO_SUCH_VARIABLE}" }
auth:
  x-common: { note: "\${NO_SUCH_VARIABLE}" }
  backends:
    - { <<: *ldap, id: one, searchBase: "ou=one,dc=example", x-note: 1 }
    - <<: *ldap
      timeout: 9s
access:
  - *rule
  - { <<: *rule, actions: [push], x-note: 1 }
`;
  const { configuration, faults } = readConfiguration(text, {});
  expect(faults).toEqual([]);
  const ldap = { type: "ldap", urls: ["ldaps://ldap.example.com"] };
  expect(configuration?.auth.backends).toEqual([
    { ...ldap, timeout: "2s", id: "one", searchBase: "ou=one,dc=example" },
    { ...ldap, timeout: "9s" },
  ]);
  const rule = { subjects: ["authenticated"], repositories: ["**"] };
  expect(configuration?.access).toEqual([
    { ...rule, actions: ["pull"] },
    { ...rule, actions: ["push"] },
  ]);
});

test("leaves keys below an option of a backend alone, because they may be names of the backend's", () => {
  const { configuration, faults } = readConfiguration(
    `listen: { address: 5043 }
upstream: { url: "http://r" }
auth: { backends: [{ type: t, x-note: 1, requiredClaims: { x-team: gate } }] }
`,
    {},
  );
  expect(faults).toEqual([]);
  expect(configuration?.auth.backends).toEqual([{ type: "t", requiredClaims: { "x-team": "gate" } }]);
});

test("refuses a merge of something that is no map", () => {
  const with_ = (more: string): string[] =>
    readConfiguration(`upstream: { url: "http://r" }\nauth: { backends: [{ type: t }] }\n${more}`, {}).faults.map(
      formatFault,
    );
  expect(with_('x-a: &a [1]\nlisten: { <<: *a, address: "127.0.0.1:0" }')).toEqual([
    "Merge sources must be maps or map aliases",
  ]);
});

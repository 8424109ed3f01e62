import { formatFault } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import { readConfiguration } from "../src/config/parse.ts";

function faultsOf(text: string): string[] {
  return readConfiguration(text, {}).faults.map(formatFault);
}

const quote = "put the value in quotes";
const begins = (sign: string, what: string): string =>
  `${sign} begins ${what} in YAML where a value is not quoted: ${quote}`;
const alias = begins("*", "an alias");

describe("a value that YAML takes for something else", () => {
  test.each([
    ["a star in a list", "access:\n  - { actions: [*] }\n", `line 2, column 17: ${alias}`],
    ["two stars in a list", "access:\n  - { repositories: [**] }\n", `line 2, column 22: ${alias}`],
    ["a glob in a block list", "access:\n  - repositories:\n      - **/app\n", `line 3, column 9: ${alias}`],
    ["an address at every host", "listen: { address: *:5043 }\n", `line 1, column 20: ${alias}`],
    [
      "a glob that takes away",
      "access:\n  - { repositories: [!secret/**] }\n",
      `line 2, column 22: ${begins("!", "a tag")}`,
    ],
    ["a placeholder in a flow map", "upstream: { url: ${REGISTRY} }\n", `line 1, column 19: ${begins("{", "a map")}`],
    [
      "a placeholder within a value",
      "upstream: { url: http://${X}:5000, ca: a }\n",
      `line 1, column 26: ${begins("{", "a map")}`,
    ],
    [
      "a user's name in a flow list",
      "access: [{ repositories: [${username}/**] }]\n",
      `line 1, column 28: ${begins("{", "a map")}`,
    ],
    [
      "a filter in a flow map",
      "a: { searchFilter: (uid={{username}}) }\n",
      `line 1, column 25: ${begins("{", "a map")}`,
    ],
    ["braces at the beginning", "a: {{username}}@example.com\n", `line 1, column 5: ${begins("{", "a map")}`],
    [
      "an IPv6 address",
      "listen:\n  address: [::]:5043\n",
      `line 2, column 16: a value continues after YAML ends it: ${quote}`,
    ],
    [
      "a scoped package",
      "a: { type: @acme/x }\n",
      `line 1, column 12: Plain value cannot start with reserved character @: ${quote}`,
    ],
    [
      "a colon and a blank",
      "realm: Registry: prod\n",
      `line 1, column 8: a value contains a colon and a space: ${quote}`,
    ],
    [
      "a colon and a blank in a flow map",
      "auth: { realm: Registry: prod, backends: [] }\n",
      `line 1, column 16: a value contains a colon and a space: ${quote}`,
    ],
    [
      "an IPv6 address alone",
      "listen: { address: :: }\n",
      `line 1, column 20: a value contains a colon and a space: ${quote}`,
    ],
    [
      "two distinguished names in a flow map",
      "a: { bindDN: cn=gate,dc=x, searchBase: ou=people,dc=x }\n",
      `line 1, column 50: a value contains a comma in a flow map: ${quote}`,
    ],
    ["a misspelt alias", "x-a: &a {}\nlisten: *b\n", `line 2, column 9: unknown alias; if this is text, ${quote}`],
    [
      "an alias before its anchor",
      "listen: *a\nx-a: &a {}\n",
      `line 1, column 9: unknown alias; if this is text, ${quote}`,
    ],
  ])("is explained in one line with its position: %s", (_, text, fault) => {
    expect(faultsOf(text)).toEqual([fault]);
  });

  test("is explained at each of its places", () => {
    expect(faultsOf("a: [*, **]\nb: !x/** \nc: [*]\n")).toEqual([
      `line 1, column 5: ${alias}`,
      `line 1, column 8: ${alias}`,
      `line 2, column 4: ${begins("!", "a tag")}`,
      `line 3, column 5: ${alias}`,
    ]);
  });

  test("is never shown, because it may be a secret", () => {
    for (const value of ["*canary*", "!canary", "@canary", "a: canary", "{canary}x", "'canary'canary", "[canary]y"]) {
      const [fault = "", ...more] = faultsOf(`auth:\n  bindPassword: ${value}\n`);
      expect(more).toEqual([]);
      expect(fault).toMatch(/^line 2, column \d+: .*put the value in quotes$/);
      expect(fault).not.toContain("canary");
    }
    for (const text of ["a: { p: ${X}, canary: canary }", "{ a: b } canary", "a: [b] ] canary"]) {
      expect(faultsOf(text).join()).not.toContain("canary");
    }
  });

  test("is a glob all the same where it does not stand first", () => {
    expect(
      faultsOf("access:\n  - { subjects: [authenticated], repositories: [team/**, a*], actions: [pull] }\n"),
    ).toEqual(["listen: is required", "upstream: is required", "auth: is required"]);
  });
});

test("does not suggest a key for, or show, the rest of a value with a comma", () => {
  const hint =
    "has an unknown key without a value; if it is the rest of a value with a comma, put that value in quotes";
  expect(faultsOf("listen: { address: 5043, x-a: 1, tls: { certificate: a, key: b,canary } }\n")).toContain(
    `listen.tls: ${hint}`,
  );
  expect(faultsOf("listen: { adress: }\n")).toContain("listen.adress: is not a known key; did you mean address?");
});

test("reports a fault without its consequences", () => {
  expect(
    faultsOf("listen: { address: a:1, tls: { certificate: ${X}, key: ${Y} } }\nupstream: { url: ${Z} }\n"),
  ).toEqual([`line 1, column 46: ${begins("{", "a map")}`]);
});

import { describe, expect, test } from "vitest";
import { readChallenge } from "../src/doctor/challenge.ts";
import type { FindingId } from "../src/doctor/finding.ts";
import { realmsOf } from "../src/doctor/realm.ts";

describe("a challenge", () => {
  test.each([
    ["Basic", { kind: "basic" }],
    ['Basic realm="Registry realm", charset="UTF-8"', { kind: "basic" }],
    ['Negotiate, Basic realm="x"', { kind: "basic" }],
    [
      'Bearer realm="https://a/v2/auth",service="a, b",scope="repository:x:pull,push"',
      { kind: "bearer", realm: "https://a/v2/auth", service: "a, b", scope: "repository:x:pull,push" },
    ],
    ['bearer REALM="a\\"b",error=invalid_token', { kind: "bearer", realm: 'a"b', error: "invalid_token" }],
  ])("is read from %s", (header, expected) => {
    expect(readChallenge(header)).toMatchObject(expected);
  });

  test.each([[undefined], [""], ["Negotiate"], ['Digest realm="Basic"']])(
    "is none that docker follows in %s",
    (header) => {
      expect(readChallenge(header)).toBeUndefined();
    },
  );
});

describe("a realm", () => {
  function judge(realm: string, base: string) {
    const reported: FindingId[] = [];
    const { given, own, onFailure } = realmsOf(realm, new URL(base), (id) => reported.push(id));
    return { reported, given: given?.href, own: own.href, onFailure };
  }

  test("of the same host is good", () => {
    expect(judge("https://registry.example.com/v2/auth", "https://registry.example.com")).toMatchObject({
      reported: [],
      given: "https://registry.example.com/v2/auth",
    });
  });

  // Whoever can put a realm into a response must not choose whom else the password goes to.
  test.each([
    ["http://localhost//evil.example.com/token", "//evil.example.com/token"],
    ["https://127.0.0.1//evil.example.com/token", "//evil.example.com/token"],
    ["x:////evil.example.com/token", "//evil.example.com/token"],
    ["https://10.0.0.1/\\evil.example.com/token", "//evil.example.com/token"],
  ])("never leads the password from %s to a third host", (realm, path) => {
    expect(judge(realm, "https://registry.example.com")).toMatchObject({
      given: undefined,
      own: `https://registry.example.com${path}`,
    });
  });

  test("of another public host is asked, and is unreachable if it does not respond", () => {
    expect(judge("https://auth.example.com/token", "https://registry.example.com")).toMatchObject({
      reported: [],
      given: "https://auth.example.com/token",
      onFailure: "realm-unreachable",
    });
  });

  test("of a name in a private network is one of another host if it does not respond", () => {
    const { onFailure } = judge("https://gate.default.svc/v2/auth", "https://registry.example.com");
    expect(onFailure).toBe("realm-host");
  });

  // The password would be sent there.
  test.each<[realm: string, found: readonly FindingId[]]>([
    ["http://registry.example.com/v2/auth", ["realm-http"]],
    ["http://gate:5043/v2/auth", ["realm-http", "realm-host"]],
    ["https://127.0.0.1:5043/v2/auth", ["realm-host"]],
    ["https://10.0.0.7/v2/auth", ["realm-host"]],
    ["/v2/auth", ["realm-invalid"]],
    ["", ["realm-invalid"]],
    ["ftp://registry.example.com/v2/auth", ["realm-invalid"]],
  ])("of %s is never asked, but its path at the gate", (realm, found) => {
    expect(judge(realm, "https://registry.example.com")).toMatchObject({
      reported: found,
      given: undefined,
      own: "https://registry.example.com/v2/auth",
    });
  });
});

import { type AuthBackend, InvalidOptionsError } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import { loginThrottle, type RegistryProxyOptions, registryProxy, validateOptions } from "../src/index.ts";

type Options = Omit<RegistryProxyOptions, "backends">;

const sound: Options = { upstream: { url: "http://registry:5000" } };
const nobody: AuthBackend = { id: "nobody", authenticate: async () => ({ status: "abstained" }) };

const places = (options: Options): string[] => validateOptions(options).faults.map(({ path }) => path.join("."));

describe("the registry's URL", () => {
  test.each([
    "http://registry:5000",
    "https://registry.example.com",
    "https://registry.example.com/",
    "http://127.0.0.1:5000",
    "http://[::1]:5000",
  ])("may be %s", (url) => {
    expect(places({ upstream: { url } })).toEqual([]);
  });

  test.each<[url: string, what: RegExp]>([
    ["", /must be a URL/],
    ["registry:5000", /http:\/\/ or https:\/\//],
    ["//registry:5000", /must be a URL/],
    ["ftp://registry", /http:\/\/ or https:\/\//],
    ["unix:/run/registry", /http:\/\/ or https:\/\//],
    ["http://", /must be a URL/],
    ["http://registry:99999", /must be a URL/],
    ["http://registry/v2/", /must end after the host and port/],
    ["http://registry/?x", /must end after the host and port/],
    ["http://registry/#x", /must end after the host and port/],
    ["http://user:canary@registry", /must not hold credentials/],
    ["http://user@registry", /must not hold credentials/],
  ])("may not be %s", (url, what) => {
    const { faults } = validateOptions({ upstream: { url } });
    expect(faults).toEqual([{ path: ["upstream", "url"], message: expect.stringMatching(what) }]);
    expect(JSON.stringify(faults)).not.toContain("canary");
  });
});

describe("the throttle", () => {
  test("may be left out, be off, be set, or be one that others share", () => {
    for (const throttle of [false as const, {}, { perAddress: "5/1m" }, loginThrottle()]) {
      expect(places({ ...sound, throttle })).toEqual([]);
    }
  });

  test("has its faults named", () => {
    const throttle = { perAddress: "5", perUserAndAddress: "5/x", backoff: "1s", ipv6Prefix: 0 };
    expect(places({ ...sound, throttle })).toEqual([
      "throttle.perAddress",
      "throttle.perUserAndAddress",
      "throttle.backoff",
      "throttle.ipv6Prefix",
    ]);
  });
});

describe("a time or a number", () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("may not be %s", (value) => {
    expect(
      places({
        upstream: { url: "http://registry", readTimeout: value, connectTimeout: value },
        cache: { ttl: value, maxEntries: value },
      }),
    ).toEqual(["upstream.readTimeout", "upstream.connectTimeout", "cache.ttl", "cache.maxEntries"]);
  });

  test("may be left out, or be one millisecond", () => {
    const upstream = { url: "http://registry", readTimeout: 1, connectTimeout: 1 };
    expect(places({ upstream, cache: { ttl: 1, maxEntries: 1 } })).toEqual([]);
    expect(places({ ...sound, cache: {} })).toEqual([]);
    expect(places({ ...sound, cache: false })).toEqual([]);
  });
});

test.each(["", "Registry realm", 'a "b" \\c', "~"])("%j can be a realm", (realm) => {
  expect(places({ ...sound, realm })).toEqual([]);
});

test.each(["a\r\nSet-Cookie: x", "a\u0000", "\u007f", "R\u00e9gistre", "\u{1f40b}"])("%j can be no realm", (realm) => {
  expect(places({ ...sound, realm })).toEqual(["realm"]);
});

test("a trusted proxy is named by its address, and what is none is named by its place", () => {
  expect(places({ ...sound, trustedProxies: ["10.0.0.0/8", "unix:", "::1", "fd00::/8"] })).toEqual([]);
  expect(places({ ...sound, trustedProxies: ["10.0.0.1", "proxy", "10.0.0.0/33"] })).toEqual([
    "trustedProxies.1",
    "trustedProxies.2",
  ]);
});

const wrong: Options = {
  upstream: { url: "ftp://registry", readTimeout: 0 },
  realm: "\n",
  trustedProxies: ["all"],
  cache: { ttl: -1 },
  access: [
    { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
    { subjects: ["alice"], repositories: ["a//b"], actions: [] },
  ],
};
const wrongPlaces = [
  "upstream.url",
  "upstream.readTimeout",
  "cache.ttl",
  "realm",
  "trustedProxies.0",
  "access.1.actions",
  "access.1.subjects.0",
  "access.1.repositories.0",
];

test("every fault is found in one run", () => {
  expect(places(wrong).sort()).toEqual([...wrongPlaces].sort());
});

test("a proxy is not made of options that are at fault, and the error has every one of them", () => {
  expect.assertions(3);
  try {
    registryProxy({ ...wrong, backends: [] });
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    expect(error.faults.map(({ path }) => path.join(".")).sort()).toEqual([...wrongPlaces, "backends"].sort());
    expect(error.message.split("\n")).toHaveLength(wrongPlaces.length + 1);
    expect(error.message).toContain("access[1].repositories[0]: must not have an empty path segment");
  }
});

test("a proxy is made of options that are sound, and closed without ever having been used", async () => {
  await expect(registryProxy({ ...sound, backends: [nobody] }).close()).resolves.toBeUndefined();
});

test("what is useless is warned of at its place, unless a fault must be mended first", () => {
  const useless = { subjects: ["authenticated"], repositories: ["Team/**"], actions: ["pull"] } as const;
  const { faults, warnings } = validateOptions({ ...sound, access: [useless] });
  expect(faults).toEqual([]);
  expect(warnings.map(({ path }) => path)).toEqual([["access", 0, "repositories", 0]]);
  expect(validateOptions({ ...sound, access: [useless, { ...useless, actions: [] }] }).warnings).toEqual([]);
});

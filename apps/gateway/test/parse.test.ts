import { formatFault } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import { readConfiguration } from "../src/config/parse.ts";

const least = {
  listen: { address: "127.0.0.1:5043" },
  upstream: { url: "http://127.0.0.1:5000" },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
};

function faultsOf(text: string): string[] {
  return readConfiguration(text, {}).faults.map(formatFault);
}

function faultsWith(change: object): string[] {
  return faultsOf(JSON.stringify({ ...least, ...change }));
}

describe("a configuration", () => {
  test("is read from YAML with durations in milliseconds", () => {
    const { configuration } = readConfiguration(
      `
listen: { address: "0.0.0.0:443", tls: { certificate: a.crt, key: a.key }, trustedProxies: [10.0.0.0/8] }
upstream: { url: "http://\${HOST}:5000", readTimeout: 900s, connectTimeout: 500ms, maxConnections: 9 }
limits: { connectionsPerAddress: 10, inFlight: 1000, inFlightPerClient: 20, minRate: 2.5KiB/s }
log: { level: warn, attemptedNames: false }
auth: { realm: R, backends: [{ type: htpasswd, file: users, groupFile: groups }], cache: { ttl: 1m }, throttle: { perAddress: 100/1m, perUserAndAddress: 10/1.5h, backoff: 1s..15m, ipv6Prefix: 56 } }
access:
  - { subjects: [authenticated], repositories: ["\${username}/**"], actions: [pull] }
`,
      { HOST: "registry" },
    );
    expect(configuration).toEqual({
      listen: {
        address: { host: "0.0.0.0", port: 443 },
        tls: { certificate: "a.crt", key: "a.key" },
        trustedProxies: ["10.0.0.0/8"],
      },
      upstream: { url: "http://registry:5000", readTimeout: 900_000, connectTimeout: 500, maxConnections: 9 },
      limits: { connectionsPerAddress: 10, inFlight: 1000, inFlightPerClient: 20, minRate: 2560 },
      log: { level: "warn", attemptedNames: false },
      auth: {
        realm: "R",
        backends: [{ type: "htpasswd", file: "users", groupFile: "groups" }],
        cache: { ttl: 60_000 },
        throttle: { perAddress: "100/1m", perUserAndAddress: "10/1.5h", backoff: "1s..15m", ipv6Prefix: 56 },
      },
      access: [{ subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["pull"] }],
    });
  });

  test("is read from JSON too", () => {
    expect(faultsOf(JSON.stringify(least))).toEqual([]);
  });

  test.each<[string, object, string[]]>([
    ["a misspelt key", { lisen: {} }, ["lisen: is not a known key; did you mean listen?"]],
    [
      "a misspelt key inside",
      { access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull"], imutableTags: [] }] },
      ["access[0].imutableTags: is not a known key; did you mean immutableTags?"],
    ],
    [
      "a wrong cache",
      { auth: { ...least.auth, cache: { ttl: "0s", maxentries: 5 } } },
      [
        "auth.cache.ttl: must be more than 0 and at most 36525d",
        "auth.cache.maxentries: is not a known key; did you mean maxEntries?",
      ],
    ],
    [
      "wrong limits",
      { limits: { inFlight: 0, inFlightPerClient: 1.5, minRate: "1kb", connectionsPerAdress: 1 } },
      [
        "limits.inFlight: must be at least 1",
        "limits.inFlightPerClient: must be a whole number",
        "limits.minRate: must be a rate such as 1KiB/s, or 0",
        "limits.connectionsPerAdress: is not a known key; did you mean connectionsPerAddress?",
      ],
    ],
    ["a rate of something", { limits: { minRate: 5 } }, ["limits.minRate: must be a rate such as 1KiB/s, or 0"]],
    ["no least rate", { limits: { minRate: 0 } }, []],
    [
      "something else for a cache",
      { auth: { ...least.auth, cache: "none" } },
      ["auth.cache: must be false, or hold ttl (a duration) and maxEntries (a whole number) and nothing else"],
    ],
    [
      "a wrong throttle",
      { auth: { ...least.auth, throttle: { perAddress: "0/1m", backoff: "1s", ipv6Prefix: 129, perUser: "1/1m" } } },
      [
        "auth.throttle.perAddress: must be a number of failures within a time, such as 10/5m",
        "auth.throttle.backoff: must be a shortest and a longest time, such as 1s..15m",
        "auth.throttle.ipv6Prefix: must be a whole number from 1 to 128",
        "auth.throttle.perUser: is not a known key",
      ],
    ],
    [
      "something else for a throttle",
      { auth: { ...least.auth, throttle: true } },
      ["auth.throttle: must be false, or hold perAddress, perUserAndAddress, backoff and ipv6Prefix and nothing else"],
    ],
    [
      "an unknown key inside",
      { upstream: { url: "http://r", timeout: "1s" } },
      ["upstream.timeout: is not a known key"],
    ],
    ["a missing part", { upstream: undefined }, ["upstream: is required"]],
    ["a missing key", { listen: {} }, ["listen.address: is required"]],
    ["a wrong type", { upstream: { url: 5000 } }, ["upstream.url: must be text: put it in quotes"]],
    [
      "a bad address",
      { listen: { address: "localhost" } },
      ["listen.address: must be host:port, [IPv6 address]:port, a port alone, unix:/path or systemd:NAME"],
    ],
    [
      "a number for a duration",
      { upstream: { url: "http://r", readTimeout: 900, connectTimeout: "1.5" } },
      [
        "upstream.readTimeout: must be a duration with a unit: write 900s",
        "upstream.connectTimeout: must be a duration with a unit: write 1.5s",
      ],
    ],
    [
      "something else for a duration",
      { upstream: { url: "http://r", readTimeout: "soon", connectTimeout: true } },
      [
        "upstream.readTimeout: must be a duration such as 500ms, 30s or 15m",
        "upstream.connectTimeout: must be a duration such as 500ms, 30s or 15m",
      ],
    ],
    [
      "an endless duration",
      { upstream: { url: "http://r", readTimeout: "900000000h" } },
      ["upstream.readTimeout: must be more than 0 and at most 36525d"],
    ],
    [
      "a cache that is switched on by a word",
      { upstream: { url: "http://r", cache: true } },
      ["upstream.cache: must hold maxSize, maxEntry, ttl or maxAge, or be {}"],
    ],
    [
      "wrong sizes and times of the cache",
      { upstream: { url: "http://r", cache: { maxSize: "0B", maxEntry: 5, ttl: "-1s", maxAge: 5, size: "1MiB" } } },
      [
        "upstream.cache.maxSize: must be a size such as 64MiB or 512KiB, at least 1B",
        "upstream.cache.maxEntry: must be a size such as 64MiB or 512KiB, at least 1B",
        "upstream.cache.ttl: must be a duration such as 500ms, 30s or 15m",
        "upstream.cache.maxAge: must be a duration with a unit: write 5s",
        "upstream.cache.size: is not a known key",
      ],
    ],
    [
      "an old protocol",
      { listen: { address: "a:1", tls: { certificate: "c", key: "k", minVersion: "TLSv1.1" } } },
      ["listen.tls.minVersion: must be TLSv1.2 or TLSv1.3"],
    ],
    [
      "another word for clients' certificates",
      { listen: { address: "a:1", tls: { certificate: "c", key: "k", clientAuth: true, ciphers: "" } } },
      ["listen.tls.clientAuth: must be none, optional or required", "listen.tls.ciphers: must not be empty"],
    ],
    ...["/v2", "/v2/", "/V2/healthz"].map((healthPath): [string, object, string[]] => [
      `a health check at ${healthPath}`,
      { listen: { address: "a:1", healthPath } },
      ["listen.healthPath: must not be below /v2/, where the registry is"],
    ]),
    ...["healthz", "/a//b", "/../v2/", "/health?x", "/%76%32/", "/a b"].map(
      (healthPath): [string, object, string[]] => [
        `a health check at ${healthPath}`,
        { listen: { address: "a:1", healthPath } },
        ["listen.healthPath: must be a path of plain segments, such as /healthz"],
      ],
    ),
    ...[660, "0999", "rw-rw----", "01777"].map((socketMode): [string, object, string[]] => [
      `the mode ${socketMode} of a socket`,
      { listen: { address: "unix:/s", socketMode } },
      ['listen.socketMode: must be a mode in quotes, such as "0660"'],
    ]),
    [
      "limits that are none",
      { limits: { connectionsPerAddress: 0, connections: 5 } },
      ["limits.connectionsPerAddress: must be at least 1", "limits.connections: is not a known key"],
    ],
    ["a text for a switch", { log: { attemptedNames: "no" } }, ["log.attemptedNames: must be true or false"]],
    ["no backend", { auth: { backends: [] } }, ["auth.backends: must name at least one backend"]],
    ["a backend without a type", { auth: { backends: [{ file: "f" }] } }, ["auth.backends[0].type: is required"]],
    [
      "an unknown action",
      { access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull", "psuh"] }] },
      ["access[0].actions[1]: must be pull, push, delete or *"],
    ],
    ["a text for a list", { access: "all" }, ["access: must be a list"]],
    [
      "several faults at once",
      { listen: { address: "x" }, extra: 1, log: { level: "loud" } },
      [
        "listen.address: must be host:port, [IPv6 address]:port, a port alone, unix:/path or systemd:NAME",
        "log.level: must be debug, info, warn, error or silent",
        "extra: is not a known key",
      ],
    ],
  ])("with %s is refused, naming the key's path", (_, change, faults) => {
    expect(faultsWith(change)).toEqual(faults);
  });

  test.each([
    ["broken YAML", "listen: {", /^line 1, column \d+: /],
    ["a key that stands twice", "listen: {}\nlisten: {}\n", /^line 2, column 1: Map keys must be unique/],
    [
      "two documents",
      "a: 1\n---\nb: 1\n",
      /^line 2, column 1: must be a single YAML document: a second one begins here$/,
    ],
    ["brackets without end", "[".repeat(60_000), /^line 1, column \d+: is nested too deeply$/],
    ["a list that holds itself", "listen: &a [*a]\n", /^listen\[0\]: is an alias of a value that contains it$/],
    ["a map that holds itself", "access: &a { b: *a }\n", /^access\.b: is an alias of a value that contains it$/],
    ["an unknown tag", "listen: !secret x\n", /^line 1, column \d+: /],
    ["a text instead of a map", "hello", /^must be a configuration with listen, upstream and auth$/],
    ["nothing", "", /^must be a configuration with listen, upstream and auth$/],
  ])("of %s is refused, naming the place", (_, text, message) => {
    const faults = faultsOf(text);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults[0]).toMatch(message);
    expect(faults.join("")).not.toContain("\n");
  });

  test("that unfolds into a memory bomb is refused", () => {
    const levels = Array.from({ length: 9 }, (_, level) =>
      level === 0 ? "l0: &l0 [x,x,x,x,x,x,x,x,x]" : `l${level}: &l${level} [${`*l${level - 1},`.repeat(9)}]`,
    );
    expect(faultsOf(levels.join("\n"))).toEqual(["Excessive alias count indicates a resource exhaustion attack"]);
  });
});

test.each(["listen", "listen.tls", "upstream", "auth", "limits", "log", "access.0"])(
  "refuses an unknown key in %s",
  (section) => {
    const complete: Readonly<Record<string, object>> = {
      listen: { ...least.listen, tls: { certificate: "a.crt", key: "a.key" } },
      upstream: least.upstream,
      auth: least.auth,
      limits: { inFlight: 10 },
      log: { level: "warn" },
      access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] }],
    };
    expect(faultsWith(complete)).toEqual([]);
    const changed = structuredClone(complete);
    const place = section.split(".").reduce<object>((whole, key) => Reflect.get(whole, key), changed);
    Reflect.set(place, "unheardOf", 1);
    expect(faultsWith(changed)).toEqual([`${section.replace(".0", "[0]")}.unheardOf: is not a known key`]);
  },
);

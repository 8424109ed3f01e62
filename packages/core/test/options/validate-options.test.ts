import { type AuthBackend, formatFault, InvalidOptionsError } from "@registry-gate/auth";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compilePolicy,
  loginThrottle,
  type RegistryProxyOptions,
  registryProxy,
  validateOptions,
} from "../../src/index.ts";

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
        loginCache: { ttl: value, maxEntries: value },
      }),
    ).toEqual(["upstream.readTimeout", "upstream.connectTimeout", "loginCache.ttl", "loginCache.maxEntries"]);
  });

  test.each(["", "5", "0s", "-1s", "1 s", "1e3ms", "1000000d"])("may not be %j", (value) => {
    const upstream = { url: "http://registry", readTimeout: value, connectTimeout: value };
    expect(places({ upstream, loginCache: { ttl: value } })).toEqual([
      "upstream.readTimeout",
      "upstream.connectTimeout",
      "loginCache.ttl",
    ]);
  });

  test("may be text with a unit", () => {
    const upstream = { url: "http://registry", readTimeout: "900s", connectTimeout: "500ms" };
    expect(places({ upstream, loginCache: { ttl: "30d" } })).toEqual([]);
  });

  test("may be left out, or be one millisecond", () => {
    const upstream = { url: "http://registry", readTimeout: 1, connectTimeout: 1 };
    expect(places({ upstream, loginCache: { ttl: 1, maxEntries: 1 } })).toEqual([]);
    expect(places({ ...sound, loginCache: {} })).toEqual([]);
    expect(places({ ...sound, loginCache: false })).toEqual([]);
  });
});

describe("the cache of content", () => {
  const cached = (cache: unknown): string[] =>
    toldOf({ upstream: { url: "http://registry", cache }, backends: [nobody] }).map(
      (fault) => fault.split(":")[0] ?? "",
    );

  test("may be empty, and its times may be nothing", () => {
    expect(cached({})).toEqual([]);
    expect(cached({ maxSize: 1, maxEntry: 1, ttl: 0, maxAge: "0s" })).toEqual([]);
  });

  test("has every wrong value named", () => {
    expect(cached({ maxSize: 0, maxEntry: 1.5, ttl: -1, maxAge: "soon", size: 1 })).toEqual([
      "upstream.cache.maxSize",
      "upstream.cache.maxEntry",
      "upstream.cache.ttl",
      "upstream.cache.maxAge",
      "upstream.cache.size",
    ]);
    expect(cached(true)).toEqual(["upstream.cache"]);
  });

  test("holds no entry that is larger than all of it", () => {
    expect(cached({ maxSize: 1000, maxEntry: 1001 })).toEqual(["upstream.cache.maxEntry"]);
    expect(cached({ maxEntry: 2 ** 26 })).toEqual([]);
    expect(cached({ maxEntry: 2 ** 26 + 1 })).toEqual(["upstream.cache.maxEntry"]);
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
  loginCache: { ttl: -1 },
  access: [
    { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
    { subjects: ["alice"], repositories: ["a//b"], actions: [] },
  ],
};
const wrongPlaces = [
  "upstream.url",
  "upstream.readTimeout",
  "loginCache.ttl",
  "realm",
  "trustedProxies.0",
  "access.1.actions",
  "access.1.subjects.0",
  "access.1.repositories.0",
];

test("finds every fault in one run", () => {
  expect(places(wrong).sort()).toEqual([...wrongPlaces].sort());
});

test("throws every fault of invalid options", () => {
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

test("creates a proxy from valid options, and closes it unused", async () => {
  await expect(registryProxy({ ...sound, backends: [nobody] }).close()).resolves.toBeUndefined();
});

test("warns of useless rules unless there are faults", () => {
  const useless = { subjects: ["authenticated"], repositories: ["Team/**"], actions: ["pull"] } as const;
  const { faults, warnings } = validateOptions({ ...sound, access: [useless] });
  expect(faults).toEqual([]);
  expect(warnings.map(({ path }) => path)).toEqual([["access", 0, "repositories", 0]]);
  expect(validateOptions({ ...sound, access: [useless, { ...useless, actions: [] }] }).warnings).toEqual([]);
});

/** What JavaScript, or a spread object, is told of options: every fault in a line. */
function toldOf(...parameters: readonly unknown[]): string[] {
  try {
    Reflect.apply(registryProxy, undefined, parameters);
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.faults.map(formatFault);
    throw error;
  }
  return [];
}

const complete = { ...sound, backends: [nobody] };
const rule = { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] };

describe("options of JavaScript", () => {
  test.each([[], [undefined], [null], [[]], ["http://registry:5000"], [5000], [() => complete], [new Map()]])(
    "that are none (%j) are refused",
    (...parameters) => {
      const wrong = parameters[0] instanceof Map;
      expect(toldOf(...parameters)).toEqual(
        wrong ? ["upstream: is required", "backends: is required"] : ["must be an object with upstream and backends"],
      );
    },
  );

  test("without any option are refused with the required ones", () => {
    expect(toldOf({})).toEqual(["upstream: is required", "backends: is required"]);
  });

  test.each<[what: string, options: object, told: string[]]>([
    ["access", { acess: [rule] }, ["acess: is not a known key; did you mean access?"]],
    ["trustedProxies", { trustedproxies: [] }, ["trustedproxies: is not a known key; did you mean trustedProxies?"]],
    [
      "an option of upstream",
      { upstream: { url: "http://r", readTimout: 5 } },
      ["upstream.readTimout: is not a known key; did you mean readTimeout?"],
    ],
    ["an option of loginCache", { loginCache: { tll: 5 } }, ["loginCache.tll: is not a known key; did you mean ttl?"]],
    [
      "immutableTags",
      { access: [{ ...rule, immutabletags: ["v*"] }] },
      ["access[0].immutabletags: is not a known key; did you mean immutableTags?"],
    ],
    [
      "effect",
      { access: [rule, { ...rule, efect: "deny" }] },
      ["access[1].efect: is not a known key; did you mean effect?"],
    ],
    ["something of nothing", { unlike: 1 }, ["unlike: is not a known key"]],
    ["what is inherited", Object.create({ acess: [rule] }), ["acess: is not a known key; did you mean access?"]],
  ])("with a misspelt %s are refused", (_, options, told) => {
    // What an object inherits is not spread.
    const whole: object = Object.assign(Object.create(Object.getPrototypeOf(options)), complete, options);
    expect(toldOf(whole)).toEqual(told);
  });

  const awaited = async () => nobody;
  const list = "backends: must be a list";
  test.each<[what: string, backends: unknown, told: string[]]>([
    ["a single one", nobody, [list]],
    ["a text", "htpasswd", [list]],
    ["nothing", null, [list]],
    ["one that was not awaited, alone", awaited(), ["backends: is a promise: await it"]],
    ["ones that were not awaited", [nobody, awaited()], ["backends[1]: is a promise: await it"]],
    ["no backend", [], ["backends: must not be empty"]],
    ["nothing in a list", [null, 5], ["backends[0]: is not a backend", "backends[1]: is not a backend"]],
    ["a function", [awaited], ["backends[0]: is not a backend"]],
    ["one without a name", [{ ...nobody, id: "" }], ["backends[0]: has no id"]],
    ["one that cannot tell", [{ id: "x" }], ["backends[0]: has no authenticate"]],
    ["options of one", [{ file: "htpasswd" }], ["backends[0]: has no id"]],
    ["a plugin", [{ type: "x", apiVersion: 1, open: awaited }], ["backends[0]: has no id"]],
    [
      "an odd challenge",
      [{ ...nobody, challenge: "Basic" }],
      ["backends[0]: has a member challenge that is not a function"],
    ],
    [
      "an odd header",
      [{ ...nobody, credentialHeaders: ["X-User"] }],
      ["backends[0]: has credentialHeaders that are not names of headers in lower case, authorization left out"],
    ],
  ])("with %s for backends are refused", (_, backends, told) => {
    expect(toldOf({ ...sound, backends })).toEqual(told);
  });

  test.each<[what: string, options: object, told: string[]]>([
    ["upstream", { upstream: "http://r" }, ["upstream: must hold url"]],
    ["upstream.url", { upstream: {} }, ["upstream.url: is required"]],
    [
      "upstream.url",
      { upstream: { url: new URL("http://r") } },
      ["upstream.url: must be a URL such as http://registry:5000"],
    ],
    [
      "upstream.ca",
      { upstream: { url: "http://r", ca: Buffer.from("x") } },
      ["upstream.ca: must be certificates as PEM"],
    ],
    ["trustedProxies", { trustedProxies: "10.0.0.0/8" }, ["trustedProxies: must be a list"]],
    ["a trusted proxy", { trustedProxies: [10] }, ["trustedProxies[0]: must be text"]],
    ["realm", { realm: 5 }, ["realm: must be text"]],
    ["loginCache", { loginCache: true }, ["loginCache: must be false, or hold ttl and maxEntries"]],
    [
      "loginCache.ttl",
      { loginCache: { ttl: "60" } },
      ["loginCache.ttl: must be a duration such as 30s, or a positive whole number of milliseconds"],
    ],
    ["session", { session: {} }, ["session: must be a function"]],
    ["onFinished", { onFinished: "log" }, ["onFinished: must be a function"]],
    ["log", { log: console.log }, ["log: must have the methods debug, info, warn and error"]],
    ["access", { access: { ...rule } }, ["access: must be a list"]],
    [
      "a rule",
      { access: [null, "all", {}] },
      [
        "access[0]: must be a rule with subjects, repositories and actions",
        "access[1]: must be a rule with subjects, repositories and actions",
        "access[2].subjects: is required",
        "access[2].repositories: is required",
        "access[2].actions: is required",
      ],
    ],
    ["a subject", { access: [{ ...rule, subjects: "anonymous" }] }, ["access[0].subjects: must be a list"]],
    [
      "an action",
      { access: [{ ...rule, actions: ["pull", 1] }] },
      ["access[0].actions[1]: must be pull, push, delete or *"],
    ],
    ["effect", { access: [{ ...rule, effect: "Deny" }] }, ["access[0].effect: must be allow or deny"]],
  ])("with something else for %s are refused", (_, options, told) => {
    expect(toldOf({ ...complete, ...options })).toEqual(told);
  });

  test.each(["access", "realm", "session", "trustedProxies", "loginCache"])(
    "with %s that is undefined are refused: a misspelt property may have been read",
    (key) => {
      expect(toldOf({ ...complete, [key]: undefined })).toEqual([
        `${key}: is undefined: leave it out, or give it a value`,
      ]);
    },
  );

  test("with an undefined part of a rule are refused: it would allow more", () => {
    expect(toldOf({ ...complete, access: [{ ...rule, effect: undefined, immutableTags: undefined }] })).toEqual([
      "access[0].effect: is undefined: leave it out, or give it a value",
      "access[0].immutableTags: is undefined: leave it out, or give it a value",
    ]);
  });

  test("with several faults are refused with all of them", () => {
    const told = toldOf({
      acess: [],
      upstream: { url: "ftp://r" },
      backends: [awaited()],
      access: [{ ...rule, actions: [] }],
    });
    expect(told.toSorted()).toEqual([
      "access[0].actions: must not be empty",
      "acess: is not a known key; did you mean access?",
      "backends[0]: is a promise: await it",
      "upstream.url: must begin with http:// or https://",
    ]);
  });

  test("are accepted or refused, and nothing else, for any value", async () => {
    const odd = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
    });
    const keys = [
      "upstream",
      "backends",
      "realm",
      "access",
      "trustedProxies",
      "session",
      "loginCache",
      "onFinished",
      "log",
    ];
    const options = fc.dictionary(fc.constantFrom(...keys), odd).map((part) => ({ ...complete, ...part }));
    const rules = fc.dictionary(fc.constantFrom("subjects", "repositories", "actions", "effect", "immutableTags"), odd);
    const accesses = fc
      .array(rules)
      .map((parts) => ({ ...complete, access: parts.map((part) => ({ ...rule, ...part })) }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(odd, options, accesses), async (given) => {
        let made: unknown;
        try {
          made = Reflect.apply(registryProxy, undefined, [given]);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidOptionsError);
        }
        if (typeof made === "function" && "close" in made && typeof made.close === "function") await made.close();
      }),
      { numRuns: 2000 },
    );
  });
});

test("validateOptions finds every fault that registryProxy throws, with or without backends", () => {
  const found = (options: unknown): string[] => {
    const findings: unknown = Reflect.apply(validateOptions, undefined, [options]);
    if (typeof findings !== "object" || findings === null || !("faults" in findings))
      throw new TypeError("no findings");
    const { faults } = findings;
    return Array.isArray(faults) ? faults.map(formatFault) : [];
  };
  expect(found(undefined)).toEqual(["must be an object with upstream"]);
  expect(found({ upstream: { url: "http://r" }, acess: [] })).toEqual([
    "acess: is not a known key; did you mean access?",
  ]);
  expect(found({ upstream: { url: "http://r" }, backends: "x" })).toEqual(["backends: must be a list"]);
  expect(found({ upstream: { url: "http://r" }, access: 5 })).toEqual(["access: must be a list"]);
});

test("compilePolicy throws for invalid rules", () => {
  const misspelt = { ...rule, efect: "deny" };
  const make = (rules: unknown) => () => Reflect.apply(compilePolicy, undefined, [rules]);
  expect(make([rule, misspelt])).toThrow("[1].efect: is not a known key; did you mean effect?");
  expect(make("all")).toThrow(InvalidOptionsError);
  expect(make(null)).toThrow(InvalidOptionsError);
  expect(make([rule])).not.toThrow();
});

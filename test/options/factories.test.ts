import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuthBackend, formatFault, InvalidOptionsError } from "@registry-gate/auth";
import { htpasswdBackend } from "@registry-gate/auth-htpasswd";
import { ldapBackend } from "@registry-gate/auth-ldap";
import { ssoHeaderBackend, ssoJwtBackend } from "@registry-gate/auth-sso";
import { backendStrategy, fromRequestUser, identityByFields, passportBackend } from "@registry-gate/passport";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** What the public functions say of options that TypeScript would not let pass. */

interface Factory {
  /** Makes something, now or later. */
  readonly make: (...parameters: never[]) => unknown;
  /** What stands before the options. */
  readonly before?: readonly unknown[];
  readonly good: Readonly<Record<string, unknown>>;
  readonly misspelt: string;
  /** What it is told instead of the misspelt key. */
  readonly meant: string;
  /** Whether the options can be left out. */
  readonly optional?: boolean;
}

const nobody: AuthBackend = { id: "nobody", authenticate: async () => ({ status: "abstained" }) };
const strategy = { name: "odd", authenticate() {} };
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-options-"));
  await writeFile(join(directory, "htpasswd"), "");
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const factories: Readonly<Record<string, Factory>> = {
  htpasswdBackend: { make: htpasswdBackend, good: { file: "htpasswd" }, misspelt: "groupfile", meant: "groupFile" },
  ldapBackend: {
    make: ldapBackend,
    good: { urls: ["ldaps://ldap.example.com"], searchBase: "dc=example,dc=com" },
    misspelt: "requiredgroup",
    meant: "requiredGroup",
  },
  ssoHeaderBackend: {
    make: ssoHeaderBackend,
    good: { trustedProxies: ["192.0.2.1"], userHeader: "X-User" },
    misspelt: "sharedsecret",
    meant: "sharedSecret",
  },
  ssoJwtBackend: {
    make: ssoJwtBackend,
    good: { jwks: "https://idp.example.com/jwks", issuer: "https://idp.example.com", audience: "registry" },
    misspelt: "requiredClaim",
    meant: "requiredClaims",
  },
  passportBackend: {
    make: passportBackend,
    good: { strategy, identity: () => ({ username: "alice" }) },
    misspelt: "scheme",
    meant: "schemes",
  },
  backendStrategy: {
    make: backendStrategy,
    before: [nobody],
    good: { from: "form" },
    misspelt: "form",
    meant: "from",
    optional: true,
  },
  fromRequestUser: {
    make: fromRequestUser,
    good: { identity: () => ({ username: "alice" }) },
    misspelt: "propery",
    meant: "property",
  },
  identityByFields: { make: identityByFields, good: { username: "login" }, misspelt: "group", meant: "groups" },
};
const named = Object.entries(factories);
const backendFactories = named.map(([name]) => name).filter((name) => name.endsWith("Backend"));

/** Calls a function as JavaScript may, and tells every fault that it names. */
async function faultsOf({ make, before = [] }: Factory, ...parameters: readonly unknown[]): Promise<string[]> {
  try {
    const made: unknown = await Reflect.apply(make, undefined, [...before, ...parameters]);
    const close: unknown = typeof made === "object" && made !== null && "close" in made ? made.close : undefined;
    if (typeof close === "function") await Reflect.apply(close, made, []);
    return [];
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.faults.map(formatFault);
    throw error;
  }
}

describe.each(named)("%s", (_, factory) => {
  const { good, misspelt, meant, optional = false } = factory;
  const context = () => ({ baseDirectory: directory });

  test("takes good options", async () => {
    expect(await faultsOf(factory, good, context())).toEqual([]);
  });

  test.each([[undefined], [null], ["text"], [5], [[]], [() => {}]])("refuses %j for options", async (options) => {
    const faults = await faultsOf(factory, options, context());
    if (options === undefined && optional) expect(faults).toEqual([]);
    else expect(faults.join("\n")).toMatch(/^must (?:be an object|hold)[^\n]*$/);
  });

  test("names a misspelt key, and what may have been meant", async () => {
    expect(await faultsOf(factory, { ...good, [misspelt]: "x" }, context())).toEqual([
      `${misspelt}: is not a known key; did you mean ${meant}?`,
    ]);
  });

  test("does not take a key without a value for one that is left out", async () => {
    expect(await faultsOf(factory, { ...good, [meant]: undefined }, context())).toEqual([
      `${meant}: is undefined: leave it out, or give it a value`,
    ]);
  });

  test("names every wrong part, and never throws anything but its faults", async () => {
    const keys = [...Object.keys(good), meant, "id", "timeout", "groups", "preset", "claims", "formFields"];
    const odd = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
    });
    const options = fc.oneof(
      odd,
      fc.dictionary(fc.constantFrom(...keys), odd).map((part) => ({ ...good, ...part })),
    );
    await fc.assert(
      fc.asyncProperty(options, async (given) => {
        await faultsOf(factory, given, context());
      }),
      { numRuns: 300 },
    );
  });
});

test.each(backendFactories)("%s judges its context too", async (name) => {
  const factory = factories[name];
  if (factory === undefined) throw new Error(name);
  const said = (context: unknown) => faultsOf(factory, factory.good, context);
  expect(await said(null)).toEqual(["context: must hold id, baseDirectory and log"]);
  expect(await said({ baseDirectory: 5, id: "", log: console.log })).toEqual([
    "context.id: is empty",
    "context.baseDirectory: must be text",
    "context.log: must have the methods debug, info, warn and error",
  ]);
  // What a later version of the contract adds is no fault.
  expect(await said({ baseDirectory: directory, log: console, more: 1 })).toEqual([]);
});

test.each(backendFactories)("%s returns a promise of a backend that can be closed twice", async (name) => {
  const factory = factories[name];
  if (factory === undefined) throw new Error(name);
  const { make, good } = factory;
  const made: unknown = Reflect.apply(make, undefined, [good, { id: "own", baseDirectory: directory }]);
  expect(made).toBeInstanceOf(Promise);
  const backend = (await made) as AuthBackend;
  expect(backend.id).toBe("own");
  await backend.close?.();
  await backend.close?.();
  expect(backend.close).toBeTypeOf("function");
});

test.each([[null], ["basic"], [{}], [{ authenticate: "x" }]])(
  "passportBackend rejects %j as strategy",
  async (value) => {
    const factory = factories.passportBackend;
    if (factory === undefined) throw new Error("no such factory");
    expect(await faultsOf(factory, { ...factory.good, strategy: value })).toEqual([
      "strategy: must be a passport strategy",
    ]);
  },
);

test.each<[backend: unknown, fault: string]>([
  [undefined, "is not a backend"],
  [null, "is not a backend"],
  ["htpasswd", "is not a backend"],
  [Promise.resolve(nobody), "is a promise: await it"],
  [{ authenticate() {} }, "has no id"],
  [{ id: "x" }, "has no authenticate"],
])("a strategy is not made of %j", async (backend, fault) => {
  expect(await faultsOf({ make: backendStrategy, good: {}, misspelt: "", meant: "" }, backend)).toEqual([fault]);
});

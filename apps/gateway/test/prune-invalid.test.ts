import fc from "fast-check";
import { expect, test } from "vitest";
import { readConfiguration } from "../src/config/parse.ts";
import { isWithin } from "../src/config/path.ts";

const good = {
  listen: { address: "127.0.0.1:5043" },
  upstream: { url: "http://127.0.0.1:5000" },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
  access: [{ subjects: ["anonymous"], repositories: ["**"], actions: ["pull"] }],
};

const read = (value: unknown) => readConfiguration(JSON.stringify(value), {});

test("what is at fault is left out, and the rest stays to be judged", () => {
  const { configuration, faults, leftOut } = read({
    ...good,
    acess: [],
    listen: { address: "nowhere", tls: { certificate: "a.crt" } },
    upstream: { url: "http://r:5000", readTimeout: 5 },
    access: [{ subjects: ["nobody"], repositories: ["**"], actions: ["pull"] }, { subjects: [] }],
  });
  expect(faults.map(({ path }) => path.join("."))).toEqual([
    "listen.address",
    "listen.tls.key",
    "upstream.readTimeout",
    "access.0.subjects.0",
    "access.1.subjects",
    "access.1.repositories",
    "access.1.actions",
    "acess",
  ]);
  expect(configuration).toMatchObject({
    upstream: { url: "http://r:5000" },
    auth: good.auth,
    access: [{ subjects: ["authenticated"] }, { subjects: ["authenticated"] }],
  });
  expect(configuration?.listen.tls).toBeUndefined();
  for (const { path } of faults) expect(isWithin(path, leftOut), path.join(".")).toBe(true);
});

test("reports every invalid part of a rule", () => {
  const { configuration, faults } = read({
    ...good,
    access: [
      { subjects: ["anonymous", 5], repositories: "a", actions: ["psuh", "delete"], immutableTags: [1], more: 1 },
      { repositories: ["b"] },
      "pull",
    ],
  });
  expect(faults.map(({ path }) => path.join("."))).toEqual([
    "access.0.subjects.1",
    "access.0.repositories",
    "access.0.actions.0",
    "access.0.immutableTags.0",
    "access.0.more",
    "access.1.subjects",
    "access.1.actions",
    "access.2",
  ]);
  expect(configuration?.access).toEqual([
    { subjects: ["anonymous", "authenticated"], repositories: ["**"], actions: ["pull", "delete"] },
    { subjects: ["authenticated"], repositories: ["b"], actions: ["pull"] },
    { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
  ]);
});

test("an empty configuration has its three faults, and a rest", () => {
  const { configuration, faults } = read({});
  expect(faults.map(({ path }) => path)).toEqual([["listen"], ["upstream"], ["auth"]]);
  expect(configuration).toBeDefined();
});

test("reports no further fault of a value whose environment variable is not set", () => {
  const text =
    'listen: { address: "$' + '{NO_SUCH}" }\nupstream: { url: "http://r" }\nauth: { backends: [{ type: t }] }';
  const { faults, leftOut } = readConfiguration(text, {});
  expect(faults).toEqual([{ path: ["listen", "address"], message: "the environment variable NO_SUCH is not set" }]);
  expect(leftOut).toContainEqual(["listen", "address"]);
});

test("whatever is put wherever, reading ends, and what is left is well-formed or nothing", () => {
  const places = [
    "",
    "listen",
    "listen.address",
    "listen.tls",
    "upstream",
    "auth",
    "auth.backends.0",
    "auth.cache",
    "auth.throttle",
    "access",
    "access.0",
    "access.0.actions",
    "log",
  ];
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...places), fc.json()), { maxLength: 4 }), (changes) => {
      const changed = structuredClone(good) as unknown;
      const value = changes.reduce((whole, [place, json]) => put(whole, place.split("."), JSON.parse(json)), changed);
      const { configuration, faults } = read(value);
      expect(faults.length > 0 || configuration !== undefined).toBe(true);
      if (value !== null && typeof value === "object" && !Array.isArray(value)) expect(configuration).toBeDefined();
    }),
  );
});

/** Puts a value below an object or list, as far as there is one. */
function put(whole: unknown, [key = "", ...deeper]: readonly string[], value: unknown): unknown {
  if (key === "") return value;
  if (typeof whole !== "object" || whole === null) return whole;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(whole) ? [...whole] : { ...whole };
  return Object.assign(copy, { [key]: deeper.length === 0 ? value : put(Reflect.get(whole, key), deeper, value) });
}

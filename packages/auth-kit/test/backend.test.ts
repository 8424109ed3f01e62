import { formatFault, InvalidOptionsError } from "@registry-gate/auth";
import { expect, test } from "vitest";
import { backendContext, isLogger, silentLog } from "../src/backend/backend-context.ts";
import { backendFault } from "../src/backend/backend-fault.ts";

const backend = { id: "users", authenticate: async () => ({ status: "abstained" }) };

test.each<[what: string, value: unknown]>([
  ["an object", backend],
  [
    "one of a class",
    new (class Users {
      readonly id = "users";
      authenticate(): void {}
    })(),
  ],
  [
    "one with everything",
    { ...backend, credentialHeaders: ["x-user"], challenge() {}, onChange() {}, check() {}, diagnose() {}, close() {} },
  ],
])("%s is a backend", (_, value) => {
  expect(backendFault(value)).toBeUndefined();
});

test.each<[value: unknown, fault: string]>([
  [undefined, "is not a backend"],
  ["users", "is not a backend"],
  [() => backend, "is not a backend"],
  [Promise.resolve(backend), "is a promise: await it"],
  [{ ...backend, id: 5 }, "has no id"],
  [{ id: "users" }, "has no authenticate"],
  [{ ...backend, close: true }, "has a member close that is not a function"],
  [{ ...backend, credentialHeaders: "x-user" }, "has credentialHeaders that are not names of headers"],
  [{ ...backend, credentialHeaders: ["authorization"] }, "has credentialHeaders that are not names of headers"],
  [{ ...backend, maxCredentialBytes: "16k" }, "has a maxCredentialBytes that is not a positive whole number"],
  [{ ...backend, maxCredentialBytes: 0.5 }, "has a maxCredentialBytes that is not a positive whole number"],
])("%j %s", (value, fault) => {
  expect(backendFault(value)).toContain(fault);
});

test("a context is completed, and what a later version adds stays", () => {
  const here = { baseDirectory: process.cwd(), log: silentLog, warn: expect.any(Function) };
  expect(backendContext({}, "users")).toEqual({ id: "users", ...here });
  expect(backendContext({ id: "people", more: 1 }, "users")).toEqual({ id: "people", more: 1, ...here });
  const { log } = backendContext({ log: console }, "users");
  expect(log).toBe(console);
  silentLog.error({}, "nobody hears this");
});

test("logs a backend's warnings with their path when there is no gateway", () => {
  const lines: unknown[] = [];
  const log = { ...silentLog, warn: (fields: unknown, message: string) => void lines.push([fields, message]) };
  backendContext({ log }, "users").warn({ path: ["groups", "searchBase"], message: "is missing" });
  expect(lines).toEqual([[{ backend: "users" }, "groups.searchBase: is missing"]]);
});

test("a context that is none is refused with each of its faults", () => {
  const told = (given: unknown): string[] => {
    try {
      backendContext(given, "users");
      return [];
    } catch (error) {
      if (error instanceof InvalidOptionsError) return error.faults.map(formatFault);
      throw error;
    }
  };
  expect(told(null)).toEqual(["context: must hold id, baseDirectory and log"]);
  expect(told({ id: "", log: {} })).toEqual([
    "context.id: is empty",
    "context.log: must have the methods debug, info, warn and error",
  ]);
});

test.each([undefined, null, console.log, {}, { debug() {}, info() {}, warn() {} }])("%j is no logger", (value) => {
  expect(isLogger(value)).toBe(false);
});

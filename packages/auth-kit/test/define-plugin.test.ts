import { type AuthBackend, type BackendContext, BackendUnavailableError } from "@registry-gate/auth";
import { describe, expect, test, vi } from "vitest";
import {
  backendContext,
  credentialHeaderOption,
  definePlugin,
  durationOption,
  firstTime,
  identityHeaderOption,
  listOption,
  optionFaults,
  orUnavailable,
  signalWithin,
  subscriptions,
  textOption,
  untilAborted,
  urlOption,
  warnOnce,
  wholeNumberOption,
  z,
} from "../src/index.ts";

const context: BackendContext = backendContext({}, "users");

const options = z.strictObject({
  url: urlOption(),
  timeout: durationOption("How long a question may take").exactOptional(),
  hosts: listOption(textOption("a host"), "hosts").exactOptional(),
  size: wholeNumberOption(1, 8).exactOptional(),
});

const backend: AuthBackend = { id: "users", authenticate: async () => ({ status: "abstained" }) };

describe("a plugin", () => {
  test("opens options that keep to its schema, and names every fault of others", async () => {
    const open = vi.fn(() => backend);
    const plugin = definePlugin({ type: "@acme/users", options, open });
    const good = { url: "https://users.example.com", timeout: "5s" };
    expect(await plugin.open(good, context)).toBe(backend);
    expect(open).toHaveBeenCalledExactlyOnceWith(good, context);
    await expect(
      plugin.open({ url: "ftp://x", timeout: 0, hosts: [], size: 9, more: 1 }, context),
    ).rejects.toMatchObject({
      faults: [
        { path: ["url"], message: "must be a URL with https:// or http://" },
        { path: ["timeout"], message: "must be a duration with a unit: write 0s" },
        { path: ["hosts"], message: "must not be empty" },
        { path: ["size"], message: "must be a whole number from 1 to 8" },
        { path: ["more"], message: "is not a known key" },
      ],
    });
    expect(open).toHaveBeenCalledTimes(1);
  });

  test("has the schema of its options for editors, in which durations are text", () => {
    const plugin = definePlugin({ type: "@acme/users", options, open: () => backend });
    expect(plugin).toMatchObject({ type: "@acme/users", apiVersion: 1 });
    expect(plugin.optionsSchema).toMatchObject({
      required: ["url"],
      properties: { timeout: { type: "string", description: "How long a question may take" } },
    });
  });
});

describe("the name of a header", () => {
  test.each(["X-User", "x_user", "X.User~"])("%s can be one that a backend reads", (name) => {
    expect([...optionFaults(credentialHeaderOption(), name)]).toEqual([]);
  });

  test.each(["", "X User", "X-User:", "Authorization", "authorization", "X-Üser", 5])("%j cannot", (name) => {
    expect([...optionFaults(credentialHeaderOption(), name)]).not.toHaveLength(0);
  });

  test.each(["Host", "COOKIE", "X-Forwarded-For", "Authorization", "X.User"])("%s cannot carry an identity", (name) => {
    expect([...optionFaults(identityHeaderOption(), name)]).toHaveLength(1);
    expect([...optionFaults(identityHeaderOption(), `X-My-${name.replace(".", "-")}`)]).toEqual([]);
  });
});

describe("subscriptions", () => {
  test("tell each listener, as often as it was added, until it is taken off", () => {
    const changes = subscriptions<[subject?: string]>();
    const listener = vi.fn();
    const endFirst = changes.add(listener);
    changes.add(listener);
    changes.notify("alice");
    expect(listener.mock.calls).toEqual([["alice"], ["alice"]]);
    endFirst();
    endFirst();
    changes.notify();
    expect(listener).toHaveBeenCalledTimes(3);
    changes.clear();
    changes.notify();
    expect(listener).toHaveBeenCalledTimes(3);
  });

  test("tell those that were there when it happened", () => {
    const changes = subscriptions();
    const late = vi.fn();
    changes.add(() => void changes.add(late));
    changes.notify();
    expect(late).not.toHaveBeenCalled();
  });
});

describe("what is logged once", () => {
  test("is logged again only where its fields or its message differ", () => {
    const log = { warn: vi.fn() };
    const warn = warnOnce(log);
    for (let round = 0; round < 3; round++) {
      warn({ header: "x-user" }, "stands twice");
      warn({ header: "x-groups" }, "stands twice");
    }
    expect(log.warn.mock.calls).toEqual([
      [{ header: "x-user" }, "stands twice"],
      [{ header: "x-groups" }, "stands twice"],
    ]);
  });

  test("does not fill the memory: beyond the most that is remembered, all is forgotten", () => {
    const isNew = firstTime(2);
    expect([isNew("a"), isNew("b"), isNew("a"), isNew("c"), isNew("a"), isNew("a")]).toEqual([
      ...[true, true, false, true, true, false],
    ]);
  });
});

describe("waiting for work that others wait for as well", () => {
  test("ends with the work", async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(Promise.resolve(5), signal)).resolves.toBe(5);
    await expect(untilAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  });

  test("ends when the signal aborts, before or after it began", async () => {
    const never = new Promise<void>(() => {});
    await expect(untilAborted(never, AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
    const leaving = new AbortController();
    const waiting = untilAborted(never, leaving.signal, () => new TypeError("left"));
    leaving.abort();
    await expect(waiting).rejects.toThrow(TypeError);
  });
});

test("a signal aborts with the caller's, and after its time", async () => {
  const leaving = new AbortController();
  const signal = signalWithin(leaving.signal, "30d");
  expect(signal.aborted).toBe(false);
  leaving.abort();
  expect(signal.aborted).toBe(true);
  const late = signalWithin(new AbortController().signal, 1);
  await new Promise((resolve) => late.addEventListener("abort", resolve));
  expect(late.reason).toMatchObject({ name: "TimeoutError" });
  expect(() => signalWithin(leaving.signal, "soon")).toThrow(RangeError);
});

test("whatever goes wrong while a backend works is that it is unavailable", async () => {
  await expect(orUnavailable("users", "no response", async () => 5)).resolves.toBe(5);
  const cause = new TypeError("fetch failed");
  await expect(orUnavailable("users", "no response", () => Promise.reject(cause))).rejects.toMatchObject({
    code: "BACKEND_UNAVAILABLE",
    message: "users: no response",
    cause,
  });
  const known = new BackendUnavailableError("users", "the service is down");
  await expect(orUnavailable("users", "no response", () => Promise.reject(known))).rejects.toBe(known);
});

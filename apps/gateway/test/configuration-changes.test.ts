import { atOnce } from "@registry-gate/auth-kit";
import { expect, test } from "vitest";
import { configurationChanges } from "../src/audit/configuration-changes.ts";
import { reloadedEvent, reloadRejectedEvent } from "../src/audit/gateway-events.ts";
import type { Configuration } from "../src/config/configuration.ts";

const configuration: Configuration = {
  listen: { address: { host: "127.0.0.1", port: 5043 } },
  upstream: { url: "http://registry:5000" },
  auth: {
    backends: [{ type: "ldap", id: "directory", bindPassword: "canary-one", pin: 1234, urls: ["ldaps://canary-host"] }],
  },
  access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] }],
};

test("a change of the configuration is named by its path, with values of rules, numbers and switches", () => {
  const next: Configuration = {
    ...configuration,
    listen: { address: { host: "127.0.0.1", port: 5044 } },
    limits: { inFlight: 7 },
    access: [{ subjects: ["user:eve"], repositories: ["**"], actions: ["pull", "push"] }],
  };
  expect(atOnce(configurationChanges(configuration, next))).toEqual([
    { path: "listen.address.port", from: 5043, to: 5044 },
    { path: "access[0].subjects[0]", from: "authenticated", to: "user:eve" },
    { path: "access[0].actions[1]", to: "push" },
    { path: "limits.inFlight", to: 7 },
  ]);
});

test("a change of a backend has no values, because anything there may be a secret", () => {
  const [backend] = configuration.auth.backends;
  const next: Configuration = {
    ...configuration,
    auth: { backends: [{ ...backend, type: "sso", bindPassword: "canary-two", pin: 4321, urls: ["ldaps://canary"] }] },
    state: { redis: "redis://:canary-three@redis" },
    keys: { file: "/canary" },
  };
  const changes = atOnce(configurationChanges(configuration, next));
  expect(changes).toEqual([
    { path: "auth.backends[0].type", from: "ldap", to: "sso" },
    { path: "auth.backends[0].bindPassword" },
    { path: "auth.backends[0].pin" },
    { path: "auth.backends[0].urls[0]" },
    { path: "state.redis" },
    { path: "keys.file" },
  ]);
  expect(JSON.stringify(changes)).not.toContain("canary");
});

test("a reload lists so many changes and faults, and counts all", async () => {
  const rule = { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] } as const;
  const next = { ...configuration, access: Array.from({ length: 1000 }, () => rule) };
  const event = await reloadedEvent(configuration, next, "file");
  expect(event).toMatchObject({ event: "reload", outcome: "reloaded", cause: "file", reason: "2997 values changed" });
  expect(event.changes).toHaveLength(200);
  const faults = Array.from({ length: 300 }, (_, index) => ({ path: ["access", index], message: "is wrong" }));
  const rejected = reloadRejectedEvent(faults, "signal");
  expect(rejected).toMatchObject({ outcome: "rejected", cause: "signal", reason: "300 faults" });
  expect(rejected.faults).toHaveLength(200);
  expect(rejected.faults?.[0]).toBe("access[0]: is wrong");
});

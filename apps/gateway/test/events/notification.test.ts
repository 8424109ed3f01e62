import { expect, test } from "vitest";
import type { AuditEvent } from "../../src/audit/audit-event.ts";
import { pauseAfter } from "../../src/events/back-off.ts";
import { notificationsOf, notifiedAction } from "../../src/events/notification.ts";

const source = { addr: "gate:5043", instanceID: "1" };
const event: AuditEvent = {
  id: "2cb3e1f0-0000-4000-8000-000000000000",
  time: "2026-11-28T00:00:00.000Z",
  event: "push",
  operation: "put-manifest",
  method: "PUT",
  repository: "team/app",
  tag: "a",
  digest: "sha256:1",
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  origin: "https://registry.example.com:8443",
  bytes: 3,
  outcome: "completed",
  status: 201,
};

test("a manifest that was put with several tags has a notification for each, with an id of its own", () => {
  const notifications = notificationsOf({ ...event, tags: ["a", "b"] }, source);
  expect(notifications.map(({ target }) => target.tag)).toEqual(["a", "b"]);
  expect(notifications[0]?.id).toBe(event.id);
  expect(new Set(notifications.map(({ id }) => id)).size).toBe(2);
});

test("a notification has the host that the client used, and nothing that does not apply", () => {
  const { tag: _, mediaType: _type, ...byDigest } = event;
  expect(notificationsOf(byDigest, source)).toEqual([
    {
      id: event.id,
      timestamp: event.time,
      action: "push",
      target: {
        size: 3,
        digest: "sha256:1",
        length: 3,
        repository: "team/app",
        url: "https://registry.example.com:8443/v2/team/app/manifests/sha256:1",
      },
      request: { host: "registry.example.com:8443", method: "PUT" },
      actor: {},
      source,
    },
  ]);
});

test.each<[string, Partial<AuditEvent>, string | undefined]>([
  ["a push", {}, "push"],
  ["a push that the registry refused", { status: 400 }, undefined],
  ["a push that came to nothing", { status: 502 }, undefined],
  ["a deletion", { event: "delete", operation: "delete-blob", status: 202 }, "delete"],
  ["a pull", { event: "pull", operation: "get-manifest", method: "GET", status: 200 }, "pull"],
  [
    "a pull of what the client has",
    { event: "pull", operation: "get-manifest", method: "GET", status: 304 },
    undefined,
  ],
  ["a denial", { event: "denied", status: 403 }, undefined],
  ["a blob", { event: "blob", operation: "finish-upload" }, undefined],
  ["a reload", { event: "reload", operation: "", status: 0, outcome: "reloaded" }, undefined],
])("%s is notified of as it should be", (_, more, action) => {
  expect(notifiedAction({ ...event, ...more })).toBe(action);
});

test("pauses grow to five minutes, or to what the endpoint asks for, up to an hour", () => {
  const second = 1000;
  for (const [failures, longest] of [
    [1, second],
    [3, 4 * second],
    [50, 300 * second],
  ] as const) {
    expect(pauseAfter(failures)).toBeLessThanOrEqual(longest);
    expect(pauseAfter(failures)).toBeGreaterThanOrEqual(longest * 0.75);
  }
  expect(pauseAfter(1, "120")).toBe(120 * second);
  expect(pauseAfter(1, "999999")).toBe(3600 * second);
  expect(pauseAfter(1, new Date(Date.now() + 100 * second).toUTCString())).toBeGreaterThan(90 * second);
  for (const nonsense of ["-5", "soon", "1e9", "99999999999"])
    expect(pauseAfter(1, nonsense)).toBeLessThanOrEqual(3600 * second);
});

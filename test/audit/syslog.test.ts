import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { auditEventFault } from "../../apps/gateway/src/audit/audit-schema.ts";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Rsyslog, startRsyslog } from "../support/rsyslog.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { type AuditedEvent, parseEvent } from "./audited-gate.ts";

let upstream: ScriptedUpstream;
let rsyslog: Rsyslog;
let gate: RunningGate;

const alice = basic("alice", "alice-password");

beforeAll(async () => {
  [upstream, rsyslog] = await Promise.all([
    startUpstream((request, response) => void request.resume().on("end", () => response.writeHead(201).end())),
    startRsyslog(),
  ]);
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [{ subjects: ["user:alice"], repositories: ["team/**"], actions: ["*"] }],
      audit: {
        output: { syslog: { address: `127.0.0.1:${rsyslog.port}`, facility: "authpriv", appName: "gate-1" } },
        onFailure: "block",
      },
    },
    files: { htpasswd: await passwordFile({ alice: "alice-password" }) },
  });
});
afterAll(async () => {
  await gate?.close();
  await rsyslog?.close();
  await upstream?.close();
});

async function put(repository: string): Promise<number> {
  const headers = { ...alice, "Content-Type": "application/vnd.oci.image.manifest.v1+json" };
  return (await fetch(`${gate.url}/v2/${repository}/manifests/v1`, { method: "PUT", headers, body: "{}" })).status;
}

/** Each message in front of its event. */
async function received(count: number): Promise<readonly (readonly [head: string, event: AuditedEvent])[]> {
  await expect.poll(async () => (await rsyslog.received()).length).toBeGreaterThanOrEqual(count);
  return (await rsyslog.received()).map((line) => {
    const start = line.indexOf("{");
    const event = parseEvent(line.slice(start));
    expect(auditEventFault(event)).toBeUndefined();
    return [line.slice(0, start).trim(), event] as const;
  });
}

it("an audit goes to a real syslog server, with facility, severity and kind, and over its restart", async () => {
  expect(await put("team/app")).toBe(201);
  expect(await put("other/app")).toBe(403);
  expect(await received(2)).toMatchObject([
    ["authpriv info gate-1 push", { event: "push", username: "alice", repository: "team/app" }],
    ["authpriv warning gate-1 denied", { event: "denied", repository: "other/app" }],
  ]);

  await rsyslog.stop();
  // The end of the connection comes from another process.
  await delay(200);
  expect(await put("team/lost")).toBe(503);
  await gate.logged(({ event, reason }) => event === "audit failure" && reason === "ECONNREFUSED");
  expect(await put("team/refused")).toBe(503);
  await rsyslog.start();
  await gate.logged(({ event }) => event === "audit written again");
  expect(await put("team/again")).toBe(201);
  const names = (await received(4)).map(([, event]) => event.repository);
  expect(names.slice(0, 3)).toEqual(["team/app", "other/app", "team/lost"]);
  // The refused one is a push that the registry never saw.
  expect(names.slice(3).sort()).toEqual(["team/again", "team/refused"]);
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { auditEventFault } from "../../apps/gateway/src/audit/audit-schema.ts";
import { runGate } from "../gateway/run-gate.ts";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { type AuditedEvent, auditOf } from "./audited-gate.ts";

let upstream: ScriptedUpstream;
let gate: RunningGate;

const password = "alice-password";

beforeAll(async () => {
  upstream = await startUpstream((request, response) => void request.resume().on("end", () => response.end("{}")));
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: upstream.url },
      auth: {
        challenge: "bearer",
        backends: [
          { type: "access-token", maxTtl: "30d" },
          { type: "htpasswd", file: "htpasswd" },
        ],
      },
      state: { file: "state.db" },
      access: [{ subjects: ["user:alice"], repositories: ["team/**"], actions: ["*"] }],
      audit: { output: { file: "audit.jsonl" } },
    },
    files: { htpasswd: await passwordFile({ alice: password }) },
  });
});
afterAll(async () => {
  await gate?.close();
  await upstream?.close();
});

async function eventsOf(count: number): Promise<AuditedEvent[]> {
  await expect.poll(async () => (await auditOf(gate)).length).toBeGreaterThanOrEqual(count);
  const events = await auditOf(gate);
  for (const event of events) expect(auditEventFault(event), JSON.stringify(event)).toBeUndefined();
  return events;
}

function token(action: string, ...parameters: readonly string[]) {
  return runGate(["token", action, "--config", join(gate.directory, "registry-gate.yaml"), ...parameters]);
}

async function issue(form: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>> {
  const body = new URLSearchParams({ service: new URL(gate.url).host, client_id: "test", ...form });
  const response = await fetch(`${gate.url}/v2/auth`, { method: "POST", body });
  return { ...Object(await response.json()) };
}

it("an audit has refresh tokens, access tokens that a command made, and requests beyond a token's scope", async () => {
  const byPassword = { grant_type: "password", username: "alice", password, scope: "repository:team/app:pull" };
  const { access_token: bearer } = await issue(byPassword);
  const { refresh_token: refresh } = await issue({ ...byPassword, access_type: "offline" });
  expect(typeof refresh).toBe("string");
  await issue({ ...byPassword, password: "wrong" });
  const deletion = { method: "DELETE", headers: { Authorization: `Bearer ${bearer}` } };
  expect((await fetch(`${gate.url}/v2/team/app/manifests/sha256:${"0".repeat(64)}`, deletion)).status).toBe(401);
  const scope = ["--scope", "repository:team/app:pull"];
  const created = await token("create", "--owner", "alice", "--name", "laptop", "--expires", "1h", ...scope);
  expect(created).toMatchObject({ code: 0, stderr: "" });
  expect(await token("revoke", "laptop")).toMatchObject({ code: 0, stderr: "" });
  const secret = created.stdout.trim();
  expect((await fetch(`${gate.url}/v2/`, { headers: basic("alice", secret) })).status).toBe(401);

  const events = await eventsOf(6);
  const made = { kind: "access", name: "laptop", owner: "alice", id: expect.any(String) };
  const scopes = [{ type: "repository", name: "team/app", action: "pull" }];
  expect(events).toMatchObject([
    { event: "token", outcome: "issued", username: "alice", operation: "issue-token", token: { kind: "refresh" } },
    { event: "login-failed", operation: "issue-token", attemptedUsername: "alice" },
    { event: "denied", decision: "denied", username: "alice", via: "bearer", grants: scopes, status: 401 },
    { event: "token", outcome: "created", token: { ...made, scopes, expires: expect.any(String) } },
    { event: "token", outcome: "revoked", token: made },
    { event: "login-failed", operation: "ping" },
  ]);
  const text = await readFile(join(gate.directory, "audit.jsonl"), "utf8");
  for (const canary of [password, secret, String(bearer), String(refresh)]) expect(text).not.toContain(canary);
});

it("a command says where it cannot record what it has done", async () => {
  const text = await readFile(join(gate.directory, "registry-gate.yaml"), "utf8");
  const configuration = { ...JSON.parse(text), audit: { output: "stdout" } };
  await gate.put("stdout.yaml", JSON.stringify(configuration));
  const parameters = ["--owner", "alice", "--name", "other", "--expires", "1h"];
  const created = await runGate(["token", "create", "--config", join(gate.directory, "stdout.yaml"), ...parameters]);
  expect(created).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/not recorded in the audit: the standard output/),
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthBackend } from "@registry-gate/auth";
import { expect, onTestFinished, test, vi } from "vitest";
import { recordingLog } from "../../../../test/support/recording-log.ts";
import { gateReadiness } from "../../src/admin/readiness/gate-readiness.ts";
import type { Gate } from "../../src/gate/gate.ts";
import { loadGate } from "../../src/gate/load-gate.ts";

/** A real gate, in front of no registry. */
async function openGate(backends: readonly AuthBackend[] = [], changes: object = {}): Promise<Gate> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-readiness-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, "htpasswd"), "");
  const file = join(directory, "gate.yaml");
  await writeFile(
    file,
    JSON.stringify({
      listen: { address: "127.0.0.1:0" },
      upstream: { url: "http://127.0.0.1:9" },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      admin: { requires: ["backends"] },
      ...changes,
    }),
  );
  const { gate } = await loadGate(file, () => ({ log: recordingLog().log, onRequest: () => {} }));
  onTestFinished(() => gate.retire());
  return backends.length === 0 ? gate : { ...gate, backends };
}

interface State {
  gate: Gate;
  unready?: "stopping" | "failed" | undefined;
  validTo?: Date | undefined;
  readOnly?: boolean;
  auditFailure?: string | undefined;
}

function watch(state: State) {
  const readiness = gateReadiness({
    currentGate: () => state.gate,
    unready: () => state.unready,
    validTo: () => state.validTo,
    readOnly: () => state.readOnly ?? false,
    auditFailure: () => state.auditFailure,
    log: recordingLog().log,
  });
  onTestFinished(() => readiness.close());
  return async (part: string) => {
    const { ready, parts } = await readiness.readiness();
    const { status, reason } = parts.find((known) => known.part === part) ?? {};
    return { ready, status, reason };
  };
}

test("a registry that is read-only is noted, and its gate stays ready", async () => {
  const state: State = { gate: await openGate() };
  const found = watch(state);
  expect(await found("maintenance")).toEqual({ ready: true, status: undefined, reason: undefined });
  state.readOnly = true;
  expect(await found("maintenance")).toEqual({ ready: true, status: "warning", reason: "read-only" });
});

test.each([
  ["block", "failed"],
  ["continue", "warning"],
])("an audit that cannot be written is noted, with onFailure: %s as %s", async (onFailure, status) => {
  const audit = { output: "stdout", onFailure };
  const state: State = { gate: await openGate([], { audit }), auditFailure: "ENOSPC" };
  const found = watch(state);
  expect(await found("audit")).toEqual({ ready: true, status, reason: "ENOSPC" });
  state.auditFailure = undefined;
  expect(await found("audit")).toEqual({ ready: true, status: "ok", reason: undefined });
  state.gate = await openGate();
  expect(await found("audit")).toEqual({ ready: true, status: undefined, reason: undefined });
});

const inDays = (days: number): Date => new Date(Date.now() + days * 86_400_000);

test("a certificate that has expired makes a gate unready, and one that soon will is noted", async () => {
  const state: State = { gate: await openGate() };
  const certificate = watch(state);
  expect(await certificate("certificate")).toEqual({ ready: true, status: undefined, reason: undefined });
  state.validTo = inDays(15);
  expect(await certificate("certificate")).toEqual({ ready: true, status: "ok", reason: undefined });
  state.validTo = inDays(2.5);
  expect(await certificate("certificate")).toEqual({ ready: true, status: "warning", reason: "expires in 3 days" });
  state.validTo = inDays(-0.001);
  expect(await certificate("certificate")).toEqual({ ready: false, status: "failed", reason: "expired" });
});

test.each(["stopping", "failed"] as const)("a gate that is %s is not ready, whatever its parts", async (unready) => {
  const of = watch({ gate: await openGate(), unready });
  expect(await of("gate")).toEqual({ ready: false, status: "failed", reason: unready });
});

test("a backend without a check counts as in order, and one that throws where nobody catches it as failed", async () => {
  const judge: Pick<AuthBackend, "authenticate"> = { authenticate: async () => ({ status: "abstained" }) };
  const one = watch({ gate: await openGate([{ id: "plain", ...judge }]) });
  expect(await one("backend:plain")).toMatchObject({ ready: true, status: "ok" });
  const stray: AuthBackend = { id: "stray", ...judge, check: async () => Promise.reject(new Error("canary")) };
  const other = watch({ gate: await openGate([stray]) });
  expect(await other("backend:stray")).toEqual({ ready: false, status: "failed", reason: "unavailable" });
});

test("a reload leaves a part as it was until its first check in the new gate is over", async () => {
  const end = Promise.withResolvers<void>();
  const backend = (check: () => Promise<void>): AuthBackend => {
    return { id: "slow", authenticate: async () => ({ status: "abstained" }), check };
  };
  const state: State = { gate: await openGate([backend(async () => {})]) };
  const of = watch(state);
  expect(await of("backend:slow")).toMatchObject({ ready: true, status: "ok" });
  const check = vi.fn(() => end.promise);
  state.gate = await openGate([backend(check)]);
  expect(await of("backend:slow")).toMatchObject({ ready: true, status: "ok" });
  expect(check).toHaveBeenCalledTimes(1);
  end.reject(new Error("down"));
  await expect.poll(async () => of("backend:slow")).toMatchObject({ ready: false, status: "failed" });
});

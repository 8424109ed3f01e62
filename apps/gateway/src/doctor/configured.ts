import { X509Certificate } from "node:crypto";
import { checkServerIdentity, getCACertificates } from "node:tls";
import type { DiagnosisLogin, DiagnosisStep } from "@registry-gate/auth";
import { readSettled } from "@registry-gate/watched-file";
import { everyAddress, type ListenAddress } from "../config/address.ts";
import type { Configuration } from "../config/configuration.ts";
import { diagnoseBackend } from "../diagnosis/backend.ts";
import { diagnoseRegistry } from "../diagnosis/registry.ts";
import { diagnoseRedis } from "../diagnosis/state.ts";
import type { Gate } from "../gate/gate.ts";
import type { ExaminedStep } from "./examination.ts";
import type { Connection } from "./exchange.ts";
import type { FindingId } from "./finding.ts";
import { findingKinds } from "./finding-kinds.ts";

/** For one backend: far above what its own time limits add up to. */
const timeLimit = 120_000;

/** Where a gate is reached from its own machine; `undefined` where that does not show in its configuration. */
export interface OwnAddress {
  readonly url: URL;
  readonly socketPath?: string;
}

export function ownAddress(address: ListenAddress, secure: boolean): OwnAddress | undefined {
  const scheme = secure ? "https" : "http";
  if ("inherited" in address) return undefined;
  if ("socket" in address) return { url: new URL(`${scheme}://localhost`), socketPath: address.socket };
  if (address.port === 0) return undefined;
  return { url: new URL(`${scheme}://${reachable(address.host)}:${address.port}`) };
}

/** Of a gate at every address, the loopback one. */
function reachable(host: string): string {
  if (host === everyAddress || host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/** The authorities that clients on this machine trust: those of Node and of the system, and further ones. */
export async function trustedCertificates(files: readonly string[]): Promise<readonly string[]> {
  const further = await Promise.all(files.map(async (file) => (await readSettled(file)).content.toString("utf8")));
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system"), ...further])];
}

/** Trusts a gate's own certificate under whatever name it is reached on its own machine. It may still have expired. */
export async function trustOwn(certificate: string, trusted: readonly string[]): Promise<Connection> {
  const text = (await readSettled(certificate)).content.toString("utf8");
  const { fingerprint256 } = new X509Certificate(text);
  return {
    ca: [...trusted, text],
    allowPartialTrustChain: true,
    checkServerIdentity: (host, peer) =>
      peer.fingerprint256 === fingerprint256 ? undefined : checkServerIdentity(host, peer),
  };
}

/** Does what `check --connect` does: tries every backend, the registry and the state store, and the login. */
export async function* examineParts(gate: Gate, login: DiagnosisLogin | undefined): AsyncGenerator<ExaminedStep> {
  const { backends, configuration } = gate;
  const steps: DiagnosisStep[] = [];
  for (const backend of backends) {
    for await (const step of diagnoseBackend(backend, login, AbortSignal.timeout(timeLimit))) {
      steps.push(step);
      // Whether another backend accepts the user shows after the last one.
      if (step.outcome === "ok" || step.about === "backend") yield examined(step, "backend-down");
    }
  }
  const accepted = steps.some(isAccepted);
  for (const step of steps) {
    if (step.outcome === "failed" && step.about === "login") {
      yield accepted ? { ...step, outcome: "ok", findings: [], broken: false } : examined(step, "login-rejected");
    }
  }
  yield* examineServers(configuration);
}

async function* examineServers({ upstream, state }: Configuration): AsyncGenerator<ExaminedStep> {
  yield examined(await diagnoseRegistry(upstream), "registry-down");
  if (state !== undefined && "redis" in state) yield examined(await diagnoseRedis(state.redis), "unavailable");
}

/** Whether a step shows that a backend accepts the login. */
export function isAccepted({ outcome, about }: DiagnosisStep): boolean {
  return outcome === "ok" && about === "login";
}

function examined(step: DiagnosisStep, id: FindingId): ExaminedStep {
  if (step.outcome === "ok") return { ...step, findings: [], broken: false };
  const { reason } = step.details;
  const seen = `${step.step} of ${step.target}: ${typeof reason === "string" ? reason : "failed"}`;
  return { ...step, findings: [{ id, seen, ...findingKinds[id] }], broken: true };
}

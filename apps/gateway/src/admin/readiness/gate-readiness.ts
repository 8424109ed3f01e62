import type { AuthBackend, Logger } from "@registry-gate/auth";
import { containmentOf } from "@registry-gate/auth-kit";
import { type RequiredPart, requiredParts } from "../../config/sections/admin.ts";
import type { UpstreamConfiguration } from "../../config/sections/upstream.ts";
import { diagnoseRegistry } from "../../diagnosis/registry.ts";
import type { Gate } from "../../gate/gate.ts";
import { certificateReload, configurationReload, type Reload } from "../../observe/reloads.ts";
import { cachedCheck, checkTimeLimit, type Finding } from "./cached-check.ts";
import { failureReason } from "./failure-reason.ts";
import {
  auditName,
  backendPart,
  judgeReadiness,
  maintenanceName,
  type PartState,
  type Readiness,
} from "./readiness.ts";

/** What the readiness of a gateway depends on. */
export interface ReadinessSources {
  readonly currentGate: () => Gate;
  /** Why no new requests should come; undefined where they may. */
  readonly unready: () => "stopping" | "failed" | undefined;
  /** When the certificate expires; undefined without TLS. */
  readonly validTo: () => Date | undefined;
  /** Whether writes are refused for maintenance. */
  readonly readOnly: () => boolean;
  /** Why the audit cannot be written at the moment; undefined where it can. */
  readonly auditFailure: () => string | undefined;
  readonly log: Logger;
}

/** Finds out whether a gate is ready, with a check of each of its parts. */
export interface GateReadiness {
  readiness(): Promise<Readiness>;
  /** What was found last; undefined where nobody has asked. */
  readonly last: Readiness | undefined;
  close(): void;
}

interface Check {
  readonly part: string;
  readonly requiredAs: RequiredPart;
  readonly find: () => Promise<Finding>;
}

/** How long before its end a certificate is noted, in milliseconds. */
const expiresSoon = 14 * 86_400_000;

/** Watches reloads from now on. */
export function gateReadiness(sources: ReadinessSources): GateReadiness {
  const { currentGate, unready, validTo, log } = sources;
  const checksOf = new WeakMap<Gate, readonly Check[]>();
  const begun = performance.now();
  const noted = { configuration: noReload(begun), certificate: noReload(begun) };
  const subscriptions = [
    configurationReload.subscribe((reload) => {
      noted.configuration = noteOf(reload);
    }),
    certificateReload.subscribe((reload) => {
      noted.certificate = noteOf(reload);
    }),
  ];
  /** What was found last of each part, also by the checks of a former gate. */
  const findings = new Map<string, Finding>();
  let last: Readiness | undefined;

  function checksFor(gate: Gate): readonly Check[] {
    const known = checksOf.get(gate) ?? checksIn(gate, log);
    checksOf.set(gate, known);
    return known;
  }

  async function checked({ part, requiredAs, find }: Check, required: readonly RequiredPart[]): Promise<PartState> {
    const found = await find();
    const before = findings.get(part);
    // A reload must not make a gate unready for as long as a first check takes.
    const { failed, error, at } = found.pending === true ? (before ?? found) : found;
    if (found.pending !== true) {
      findings.set(part, found);
      report(part, before?.failed === true, found);
    }
    const status = failed ? "failed" : "ok";
    return {
      ...{ part, status, required: required.includes(requiredAs), age: secondsSince(at) },
      ...(failed && { reason: failureReason(error) }),
    };
  }

  /** Tells the log of changes alone. */
  function report(part: string, failedBefore: boolean, { failed, error }: Finding): void {
    if (failed === failedBefore) return;
    if (failed) log.warn({ event: "part failed", part, err: error }, `${part} failed its check`);
    else log.info({ event: "part recovered", part }, `${part} passes its check again`);
  }

  function gatePart(): PartState {
    const reason = unready();
    const status = reason === undefined ? "ok" : "failed";
    return { part: "gate", status, required: true, age: 0, ...(reason !== undefined && { reason }) };
  }

  function certificatePart(): PartState[] {
    const end = validTo();
    if (end === undefined) return [];
    const common = { part: "certificate", required: true } as const;
    const left = end.getTime() - Date.now();
    if (left <= 0) return [{ ...common, status: "failed", reason: "expired", age: Math.floor(-left / 1000) }];
    const { refused, at } = noted.certificate;
    if (refused)
      return [{ ...common, status: "warning", reason: "the last change was rejected", age: secondsSince(at) }];
    if (left > expiresSoon) return [{ ...common, status: "ok", age: 0 }];
    return [{ ...common, status: "warning", reason: `expires in ${Math.ceil(left / 86_400_000)} days`, age: 0 }];
  }

  function reloadPart(): PartState {
    const { refused, at } = noted.configuration;
    const common = { part: "reload", required: false, age: secondsSince(at) } as const;
    return refused ? { ...common, status: "warning", reason: "rejected" } : { ...common, status: "ok" };
  }

  /** While it is not read-only, there is nothing to say. */
  function maintenancePart(): PartState[] {
    if (!sources.readOnly()) return [];
    return [{ part: maintenanceName, status: "warning", required: false, reason: "read-only", age: 0 }];
  }

  /** It never makes a gate unready: reads go on, and no other replica may do better. */
  function auditPart({ configuration: { audit } }: Gate): PartState[] {
    if (audit === undefined) return [];
    const common = { part: auditName, required: false, age: 0 } as const;
    const reason = sources.auditFailure();
    if (reason === undefined) return [{ ...common, status: "ok" }];
    return [{ ...common, status: audit.onFailure === "block" ? "failed" : "warning", reason }];
  }

  return {
    get last() {
      return last;
    },
    async readiness() {
      const gate = currentGate();
      const required = requiredParts(gate.configuration.admin ?? {});
      const found = await Promise.all(checksFor(gate).map((check) => checked(check, required)));
      const noted = [...auditPart(gate), ...maintenancePart()];
      last = judgeReadiness([gatePart(), ...found, ...certificatePart(), reloadPart(), ...noted]);
      return last;
    },
    close() {
      for (const end of subscriptions) end();
    },
  };
}

function checksIn({ backends, configuration, state }: Gate, log: Logger): readonly Check[] {
  const { upstream } = configuration;
  return [
    ...backends.map((backend): Check => {
      return { part: backendPart(backend.id), requiredAs: "backends", find: cachedCheck(checkOf(backend, log)) };
    }),
    { part: "registry", requiredAs: "registry", find: cachedCheck(() => checkRegistry(upstream)) },
    ...(state === undefined
      ? []
      : [{ part: "state", requiredAs: "state", find: cachedCheck(() => state.check()) } as const]),
  ];
}

/** A backend without a check of its own counts as in order. */
function checkOf(backend: AuthBackend, log: Logger): (signal: AbortSignal) => Promise<void> {
  const containment = containmentOf(backend, (error) =>
    log.error({ backend: backend.id, err: error }, "a backend threw an error that nobody caught"),
  );
  return async (signal) => {
    if (backend.check !== undefined) await containment.run(async (until) => backend.check?.(until), signal);
  };
}

async function checkRegistry(upstream: UpstreamConfiguration): Promise<void> {
  const connectTimeout = Math.min(upstream.connectTimeout ?? checkTimeLimit, checkTimeLimit);
  const { outcome, details } = await diagnoseRegistry({ ...upstream, connectTimeout });
  // The text of a system's error has the address.
  if (outcome !== "ok") throw new Error(failureReason(new Error(String(details.reason ?? ""))));
}

interface ReloadNote {
  readonly refused: boolean;
  readonly at: number;
}

function noReload(at: number): ReloadNote {
  return { refused: false, at };
}

function noteOf({ outcome }: Reload): ReloadNote {
  return { refused: outcome === "refused", at: performance.now() };
}

function secondsSince(at: number): number {
  return Math.max(0, Math.round((performance.now() - at) / 100) / 10);
}

/** Whether new requests should be sent to a gate, and why. It is plain JSON, so that processes can send it to each other. */
export interface Readiness {
  readonly ready: boolean;
  readonly parts: readonly PartState[];
}

export interface PartState {
  /** `gate`, `registry`, `state`, `certificate`, `reload`, `audit`, `maintenance`, or `backend:` with the id of a backend. */
  readonly part: string;
  /** `warning`: nothing is wrong yet, but somebody should look. */
  readonly status: "ok" | "warning" | "failed";
  /** Whether the gate is not ready when it fails. Of several backends, one in order is enough. */
  readonly required: boolean;
  /** In plain words or as an error code. It names no address, no user and no file. */
  readonly reason?: string;
  /** How long ago this was found out, in seconds. */
  readonly age: number;
}

/** The part that fails while writes are refused because the audit cannot be written. */
export const auditName = "audit";
/** The part that is there while the registry is read-only. */
export const maintenanceName = "maintenance";

const backendPrefix = "backend:";

export function backendPart(id: string): string {
  return `${backendPrefix}${id}`;
}

/** Judges the parts together. */
export function judgeReadiness(parts: readonly PartState[]): Readiness {
  const isBackend = ({ part }: PartState): boolean => part.startsWith(backendPrefix);
  const failing = parts.filter(({ required, status }) => required && status === "failed");
  const usable = parts.some((part) => isBackend(part) && part.status !== "failed");
  return { ready: !failing.some((part) => !isBackend(part) || !usable), parts };
}

/** In one line. */
export function readinessText({ ready, parts }: Readiness): string {
  if (!ready) return `not ready: ${listed(parts.filter(({ required, status }) => required && status === "failed"))}`;
  const refusing = parts.filter(refusesWrites);
  return refusing.length === 0 ? "ready" : `ready; writes are refused: ${listed(refusing)}`;
}

/** Pulls are served, so that this makes no gate unready. */
function refusesWrites({ part, status }: PartState): boolean {
  return part === maintenanceName || (part === auditName && status === "failed");
}

function listed(parts: readonly PartState[]): string {
  return parts.map(({ part, reason = "failed" }) => `${part} (${reason})`).join(", ");
}

/** Whether new requests should be sent to a gate, and why. It is plain JSON, so that processes can send it to each other. */
export interface Readiness {
  readonly ready: boolean;
  readonly parts: readonly PartState[];
}

export interface PartState {
  /** `gate`, `registry`, `state`, `certificate`, `reload`, or `backend:` with the id of a backend. */
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
  if (ready) return "ready";
  const failing = parts.filter(({ required, status }) => required && status === "failed");
  return `not ready: ${failing.map(({ part, reason = "failed" }) => `${part} (${reason})`).join(", ")}`;
}

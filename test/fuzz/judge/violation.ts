import type { Marker } from "../case/marker.ts";

/** A promise of the gate's that did not hold. */
export interface Violation {
  readonly kind: ViolationKind;
  readonly text: string;
  /** The requests that it was seen at, or that have a part in it. */
  readonly markers: readonly Marker[];
  /**
   * Markers and addresses of requests: where one of them crossed with bytes that the registry sent unasked, nobody could
   * have told what is the response, and it does not count.
   */
  readonly unlessCrossed?: readonly string[];
}

export type ViolationKind =
  /** The process ended, wrote to its standard error, or logged an error of its own. */
  | "gate-fault"
  /** Bytes of one user's response, or of none, came to another. */
  | "leak"
  /** The registry was asked for what the user may not do. */
  | "unauthorised"
  /** The registry understood a request that nobody sent, or one twice. */
  | "smuggled"
  /** What the gate wrote to the registry could be read in two ways. */
  | "upstream-form"
  /** What the gate wrote to the client is not HTTP, or not in the order of the requests. */
  | "response-form"
  /** A response that broke off came as if it were whole. */
  | "truncated"
  /** A well-behaved client did not get what it should. */
  | "not-served"
  /** Nothing came, and the connection was not ended either. */
  | "hang"
  /** Descriptors or memory did not return. */
  | "held";

/** Kinds that a loaded machine can bring about: they count where they are seen again. */
const byTime: ReadonlySet<ViolationKind> = new Set(["not-served", "hang", "held"]);

export function dependsOnTime({ kind }: Violation): boolean {
  return byTime.has(kind);
}

/** What it is about, in one line. */
export function headlineOf({ kind, text }: Violation): string {
  return `${kind}: ${/^\w*Error.*$/m.exec(text)?.[0] ?? text.trim().split("\n", 1)[0]}`;
}

/** What two violations of one cause have in common. */
export function signatureOf(violation: Violation): string {
  const stack = /^\s+at .*$/m.exec(violation.text)?.[0] ?? "";
  return `${headlineOf(violation)}${stack}`
    .replace(/[mvs]\d{6}-\d\d/g, "*")
    .replace(/\d+/g, "0")
    .slice(0, 300);
}

/** What can be wrong between a client and a gate; each has a row in docs/doctor.md. */
export type FindingId =
  | "anonymous-basic"
  | "around-gate"
  | "authorization-lost"
  | "backend-down"
  | "body-buffered"
  | "body-limit-behind"
  | "body-limit-front"
  | "cached"
  | "certificate-authority"
  | "certificate-chain"
  | "certificate-expired"
  | "certificate-name"
  | "certificate-not-yet-valid"
  | "chunked-refused"
  | "clock-skew"
  | "content-changed"
  | "expect-refused"
  | "gate-down"
  | "header-limit"
  | "html-errors"
  | "http-1.0"
  | "http-on-tls-port"
  | "http2-only"
  | "left-behind"
  | "location-host"
  | "location-missing"
  | "location-outside"
  | "location-port"
  | "location-scheme"
  | "login-page"
  | "login-rejected"
  | "no-challenge"
  | "no-pull-right"
  | "no-push-right"
  | "no-response"
  | "not-a-registry"
  | "plain-http"
  | "read-only"
  | "realm-host"
  | "realm-http"
  | "realm-invalid"
  | "realm-unreachable"
  | "redirect-unreachable"
  | "registry-down"
  | "registry-open"
  | "slow-cut"
  | "throttled"
  | "tls-handshake"
  | "tls-on-http-port"
  | "token-times"
  | "token-unusable"
  | "unavailable"
  | "unexpected-response"
  | "unreachable"
  | "version-header";

/** `failed`: a client is broken, or the registry unprotected. `warning`: it works until something else happens. */
export type Severity = "failed" | "warning";

/** What is the same of every finding of its kind. */
export interface FindingKind {
  readonly severity: Severity;
  /** What it breaks, and for which client. */
  readonly breaks: string;
  /** What to change. `HOST:PORT` stands for that of the gate's URL. */
  readonly mend: string;
}

/** Something that is wrong, as it was found. */
export interface Finding extends FindingKind {
  readonly id: FindingId;
  /** What was seen, in one line. Never a secret. */
  readonly seen: string;
}

/** A finding, before what is the same of its kind is added. */
export type Found = readonly [id: FindingId, seen: string];

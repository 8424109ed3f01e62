import type { Access, Challenge } from "@registry-gate/auth";
import { formatChallenge } from "@registry-gate/auth-kit";
import type { Refusal } from "../route/refusal.ts";
import type { ErrorResponse } from "./error-response.ts";

/** How long a client should wait before it tries again, in seconds. */
const retryAfter = "5";

/** Authenticated but not allowed: the same message whether or not the repository exists. */
export function denied(accesses: readonly Access[]): ErrorResponse {
  return { status: 403, code: "DENIED", message: "requested access to the resource is denied", accesses };
}

/** For a tag that exists and is immutable. The caller may push here, so its existence is no secret. */
export function immutable(tag: string): ErrorResponse {
  return { status: 403, code: "DENIED", message: `the tag ${tag} exists and is immutable` };
}

/** For a tag that the rules do not allow to delete, whether or not it exists. */
export function undeletable(tag: string): ErrorResponse {
  return { status: 403, code: "DENIED", message: `the tag ${tag} is immutable` };
}

/**
 * For a manifest or blob that an immutable tag refers to. The tag is not named: the caller may not be allowed to see
 * it.
 */
export const referenced: ErrorResponse = {
  status: 403,
  code: "DENIED",
  message: "an immutable tag refers to this digest",
};

/** The registry gave no clear result about its tags. */
export const undecided: ErrorResponse = {
  status: 502,
  code: "UNAVAILABLE",
  message: "cannot check whether this would change an immutable tag",
};

export const backendUnavailable: ErrorResponse = {
  status: 503,
  code: "UNAVAILABLE",
  message: "the authentication service is unavailable",
  headers: { "Retry-After": retryAfter },
};

/** @param seconds How long to wait, at least 1. */
export function throttled(seconds: number): ErrorResponse {
  return {
    status: 429,
    code: "TOOMANYREQUESTS",
    message: "too many failed logins",
    headers: { "Retry-After": `${seconds}` },
  };
}

export const conflictingIdentities: ErrorResponse = {
  status: 400,
  code: "UNSUPPORTED",
  message: "the request names two different users",
};

export const crossSite: ErrorResponse = {
  status: 403,
  code: "DENIED",
  message: "the request does not come from a page of this origin",
};

export const upstreamUnreachable: ErrorResponse = {
  status: 502,
  code: "UNAVAILABLE",
  message: "the registry is unreachable",
};

/** For a 401 or 407 of the registry: the gate must sign in, not the client. */
export const registryLogin: ErrorResponse = {
  status: 502,
  code: "UNAVAILABLE",
  message: "the registry rejects the gate's login",
};

export const upstreamSilent: ErrorResponse = {
  status: 504,
  code: "UNAVAILABLE",
  message: "the registry does not respond",
};

export const upstreamOverloaded: ErrorResponse = {
  status: 503,
  code: "UNAVAILABLE",
  message: "too many requests are waiting for the registry",
  headers: { "Retry-After": retryAfter },
};

/** For a write that the caller may do, but not while the registry is under maintenance: that takes minutes, not seconds. */
export const readOnly: ErrorResponse = {
  status: 503,
  code: "UNAVAILABLE",
  message: "the registry is read-only for maintenance",
  headers: { "Retry-After": "30" },
};

/** The limit of concurrent requests is reached. */
export const tooManyInFlight: ErrorResponse = {
  status: 503,
  code: "UNAVAILABLE",
  message: "too many concurrent requests",
  headers: { "Retry-After": retryAfter },
};

/** The limit of concurrent requests of one client is reached. */
export const tooManyInFlightOfClient: ErrorResponse = {
  status: 429,
  code: "TOOMANYREQUESTS",
  message: "too many concurrent requests from one client",
  headers: { "Retry-After": retryAfter },
};

/** What records the writes of all clients cannot do so. */
export const notRecorded: ErrorResponse = {
  status: 503,
  code: "UNAVAILABLE",
  message: "writes cannot be recorded at the moment, and are refused until they can; reads go on",
  headers: { "Retry-After": retryAfter },
};

export const bodyStalled: ErrorResponse = {
  status: 408,
  code: "UNKNOWN",
  message: "the request body timed out",
};

export const bodyAlreadyRead: ErrorResponse = {
  status: 500,
  code: "UNKNOWN",
  message: "the request's body was read before it reached the registry gate",
};

export const internalError: ErrorResponse = { status: 500, code: "UNKNOWN", message: "internal error" };

export const notFound: ErrorResponse = { status: 404, code: "UNSUPPORTED", message: "not found" };

export const noTunnel: ErrorResponse = {
  status: 405,
  code: "UNSUPPORTED",
  message: "the operation is unsupported",
  headers: { Allow: "GET, HEAD, POST, PUT, PATCH, DELETE" },
};

/** For an error of Node's parser, by its code. */
export function unreadable(code: string): ErrorResponse {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return {
        status: 431,
        code: "UNSUPPORTED",
        message: "the request's head is too long for this server - a long token or many cookies are the usual cause",
      };
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { status: 413, code: "UNSUPPORTED", message: "the extensions of a chunk are too long" };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, code: "UNKNOWN", message: "the request head timed out" };
    default:
      return { status: 400, code: "UNSUPPORTED", message: "the request is malformed" };
  }
}

export function refused({ status, code, message, allow }: Refusal): ErrorResponse {
  return allow === undefined
    ? { status, code, message }
    : { status, code, message, headers: { Allow: allow.join(", ") } };
}

/** A 401 with this challenge. */
export function unauthorized(challenge: Challenge, accesses: readonly Access[]): ErrorResponse {
  return {
    status: 401,
    code: "UNAUTHORIZED",
    message: "authentication required",
    headers: { "WWW-Authenticate": formatChallenge(challenge) },
    accesses,
  };
}

import {
  type AuthBackend,
  type Authenticated,
  type AuthRequest,
  BackendUnavailableError,
  type Credentials,
  type Logger,
  type UserPrincipal,
} from "@registry-gate/auth";
import { containmentOf, defaultMaxCredentialBytes } from "@registry-gate/auth-kit";
import { anonymous } from "../authorize/principal.ts";
import { type LoginJudged, loginJudged } from "../observe/channels.ts";
import type { Verdict } from "./verdict.ts";

/**
 * Asks the backends in order. The first that authenticates wins, whatever others returned before. Otherwise: a backend
 * that was unavailable makes the verdict unavailable, because it might have accepted; credentials that every backend
 * rejected or abstained from are rejected, never anonymous. A conflict ends the chain.
 *
 * Uncaught errors of a backend or its libraries count as thrown by the backend, where the process listens for such
 * errors.
 *
 * A backend is not asked about a password or token longer than its limit. Where its own headers are in the request as
 * well, the chain ends there: no other backend could see whether they name the same user.
 */
export async function askInOrder(
  backends: readonly AuthBackend[],
  request: AuthRequest,
  log: Logger | undefined,
): Promise<Verdict> {
  const outages: { readonly id: string; readonly error: unknown }[] = [];
  const rejections: string[] = [];
  const size = credentialBytes(request.credentials);
  for (const backend of concernedBackends(backends, request.credentials)) {
    const { maxCredentialBytes = defaultMaxCredentialBytes, credentialHeaders = [] } = backend;
    if (size > maxCredentialBytes) {
      rejections.push(`${backend.id}: the password or token is longer than ${maxCredentialBytes} bytes`);
      if (credentialHeaders.some((name) => request.header(name).length > 0)) break;
      continue;
    }
    const judged = judging(backend, request);
    try {
      const containment = containmentOf(backend, (error) => reportStray(backend, request, error, log));
      const result = await containment.run((signal) => backend.authenticate({ ...request, signal }), request.signal);
      judged(result.status);
      if (result.status === "authenticated") {
        if (result.uploadsOnly === true) {
          const reason = `${backend.id}: the login has expired`;
          return { outcome: "expired", principal: principalOf(result, backend, request), reason };
        }
        return {
          outcome: "authenticated",
          principal: principalOf(result, backend, request),
          expiresAt: result.expiresAt,
          ...(result.rememberFor !== undefined && { rememberFor: result.rememberFor }),
        };
      }
      if (result.status === "anonymous") {
        const { grants, expiresAt } = result;
        const principal = { kind: "anonymous", grants } as const;
        return { outcome: "anonymous", principal, ...(expiresAt !== undefined && { expiresAt }) };
      }
      if (result.status === "conflicting") {
        return { outcome: "conflicting", reason: `${backend.id}: ${result.reason}` };
      }
      if (result.status === "rejected") rejections.push(`${backend.id}: ${result.reason}`);
    } catch (error) {
      if (request.signal.aborted) {
        judged("aborted");
        throw error;
      }
      outages.push({ id: backend.id, error });
      const expected = isExpected(error);
      judged(expected ? "unavailable" : "failed");
      const fields = { requestId: request.requestId, backend: backend.id, err: error };
      if (expected) log?.warn(fields, "a backend is unavailable");
      else log?.error(fields, "a backend failed unexpectedly");
    }
  }
  if (outages.length > 0) {
    const reason = `no response from ${outages.map(({ id }) => id).join(", ")}`;
    return { outcome: "unavailable", reason, causes: outages.map(({ error }) => error) };
  }
  if (rejections.length > 0) return { outcome: "rejected", reason: rejections.join("; ") };
  if (request.credentials === undefined) return { outcome: "anonymous", principal: anonymous };
  return { outcome: "rejected", reason: "no backend knows the credentials" };
}

function principalOf(
  { identity, grants, widenable }: Authenticated,
  backend: AuthBackend,
  request: AuthRequest,
): UserPrincipal {
  const { credentials } = request;
  const byHeaders = (backend.credentialHeaders ?? []).some((name) => request.header(name).length > 0);
  const via = byHeaders || credentials === undefined ? "proxy" : credentials.scheme;
  if (grants === undefined) return { kind: "user", identity, via };
  return { kind: "user", identity, grants, via, ...(widenable && { widenable }) };
}

/**
 * A token of one backend is shown to no other: a directory would count a revoked one as a wrong password of the user beside
 * it, and lock them out. Backends with headers are asked all the same, whom these name.
 */
function concernedBackends(
  backends: readonly AuthBackend[],
  credentials: Credentials | undefined,
): readonly AuthBackend[] {
  if (credentials === undefined) return backends;
  const secret = credentials.scheme === "basic" ? credentials.password : credentials.token;
  const owners = backends.filter(({ tokenPrefixes = [] }) =>
    tokenPrefixes.some((prefix) => prefix !== "" && secret.startsWith(prefix)),
  );
  if (owners.length === 0) return backends;
  return backends.filter((backend) => owners.includes(backend) || (backend.credentialHeaders ?? []).length > 0);
}

/** The login is already finished. */
function reportStray(backend: AuthBackend, { requestId }: AuthRequest, error: unknown, log: Logger | undefined): void {
  log?.error({ requestId, backend: backend.id, err: error }, "a backend threw an error that nobody caught");
}

function credentialBytes(credentials: Credentials | undefined): number {
  if (credentials === undefined) return 0;
  return Buffer.byteLength(credentials.scheme === "basic" ? credentials.password : credentials.token);
}

/** Whether the error means that the backend is unavailable. */
function isExpected(error: unknown): boolean {
  // Compares the code too: a backend may bundle another copy of the contract.
  return (
    error instanceof BackendUnavailableError ||
    (error instanceof Error && "code" in error && error.code === "BACKEND_UNAVAILABLE")
  );
}

/** @returns a function that publishes the result of a login and its duration from now on. */
function judging(
  { id: backend }: AuthBackend,
  { credentials }: AuthRequest,
): (outcome: LoginJudged["outcome"]) => void {
  const start = performance.now();
  return (outcome) =>
    loginJudged.publish(() => ({
      backend,
      scheme: credentials?.scheme ?? "none",
      outcome,
      milliseconds: performance.now() - start,
    }));
}

import { resolve } from "node:path";
import {
  type AuthBackend,
  type Authenticated,
  type AuthRequest,
  type AuthResult,
  type BackendContext,
  BackendUnavailableError,
  type Logger,
  type LogLine,
  type Rejected,
} from "@registry-gate/auth";
import { backendContext, subscriptions, warnOnce } from "@registry-gate/auth-kit";
import { conflicting, conflictOf } from "../conflicting-users.ts";
import { inCase } from "../username-case.ts";
import { type Freshness, UnavailableError } from "./cached-document.ts";
import { openCertificates } from "./certificates.ts";
import { mapClaims } from "./claims.ts";
import { discoverKeys } from "./discovery.ts";
import { type Document, fetchDocument } from "./fetch-document.ts";
import { type KeySource, keysAtUrl, keysByName, keysInFile } from "./key-source.ts";
import type { SsoJwtOptions } from "./options.ts";
import { type KeyLocation, type ResolvedJwtOptions, resolveJwtOptions } from "./resolve-options.ts";
import { readTokenHeader } from "./token-form.ts";
import { verifyToken } from "./verify-token.ts";

/** The default of any backend. This backend itself rejects a token that is too long. */
const defaultMaxCredentialBytes = 12_288;

const ABSTAINED: AuthResult = { status: "abstained" };

/**
 * Makes a backend of signed tokens (RFC 7519): in a header that a proxy sets, as Bearer, and as the password of a Basic
 * login.
 *
 * It abstains from whatever does not have the form of a signed token. The subject of an identity is the claim `sub`, or
 * the user's name where there is none.
 *
 * @param context Defaults: the id `sso-jwt`, the current directory, and no log.
 * @throws {InvalidOptionsError} when the options are wrong, or a file cannot be used at the start.
 */
export async function ssoJwtBackend(
  options: SsoJwtOptions,
  context: Partial<BackendContext> = {},
): Promise<AuthBackend> {
  const resolved = resolveJwtOptions(options);
  const { id, baseDirectory, log } = backendContext(context, "sso-jwt");
  const { header, rules, mapping, basicUsernames } = resolved;
  const changes = subscriptions();
  const keys = await openKeys(resolved, baseDirectory, log, changes.notify);

  const warn: LogLine = warnOnce(log);
  const groupsClaim = mapping.groupsClaim?.join(".") ?? "";

  async function judge(token: string, { client, signal }: AuthRequest): Promise<Authenticated | Rejected> {
    const verified = await verifyToken(token, rules, (alg, kid) => keys.find(alg, kid, client, signal));
    if (verified.fault !== undefined) return rejected(verified.fault);
    const mapped = mapClaims(verified.claims, mapping, id);
    if (mapped.fault !== undefined) return rejected(mapped.fault);
    for (const reason of mapped.skipped) warn({ claim: groupsClaim, reason }, `skipped a group that ${reason}`);
    const { groupsIncomplete } = mapped.identity;
    if (groupsIncomplete !== undefined) {
      const consequence = "rules that allow by a group do not count, and those that deny by one hold";
      warn({ claim: groupsClaim, reason: groupsIncomplete }, `the groups of some users are not known: ${consequence}`);
    }
    return { status: "authenticated", identity: mapped.identity, expiresAt: verified.expires * 1000 };
  }

  /** The token in the `Authorization` header. */
  async function judgeCredentials(token: string, request: AuthRequest): Promise<Authenticated | Rejected> {
    const { credentials } = request;
    const result = await judge(token, request);
    if (result.status === "rejected" || credentials?.scheme !== "basic") return result;
    const username = inCase(credentials.username.normalize("NFC"), mapping.usernameCase);
    if (username === result.identity.username || basicUsernames.includes(credentials.username.normalize("NFC")))
      return result;
    return rejected("the token does not belong to the user name of the login");
  }

  async function authenticate(request: AuthRequest): Promise<AuthResult> {
    const assertions = header === undefined ? [] : request.header(header);
    const [assertion] = assertions;
    if (assertions.length > 1) return rejected("the token header occurs more than once");
    const presented = tokenOf(request, resolved);
    if (assertion === undefined) {
      return presented === undefined ? ABSTAINED : judgeCredentials(presented, request);
    }
    const asserted = await judge(assertion, request);
    if (asserted.status === "rejected") return asserted;
    if (presented === undefined)
      return conflictOf(request.credentials, asserted.identity.username, mapping.usernameCase) ?? asserted;
    const login = await judgeCredentials(presented, request);
    if (login.status === "rejected") return login;
    if (login.identity.username === asserted.identity.username) return asserted;
    return conflicting("the header and the login hold tokens of two different users");
  }

  const mapErrors = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      throw new BackendUnavailableError(id, error.message, { cause: error });
    }
  };

  return {
    id,
    ...(header === undefined ? {} : { credentialHeaders: [header] }),
    ...(resolved.basic ? { sharedUsernames: basicUsernames } : {}),
    maxCredentialBytes: Math.max(rules.maxTokenBytes, defaultMaxCredentialBytes),
    authenticate: (request) => mapErrors(authenticate(request)),
    onChange: changes.add,
    async check(signal) {
      if (signal.aborted) throw new BackendUnavailableError(id, "the check was aborted");
      await mapErrors(keys.check(signal));
    },
    async close() {
      keys.close();
      changes.clear();
    },
  };
}

/** @throws {InvalidOptionsError} */
async function openKeys(
  { keys, caCert, proxyFor, freshness, timeout }: ResolvedJwtOptions,
  baseDirectory: string,
  log: Logger,
  onChange: () => void,
): Promise<KeySource> {
  const notices = { log, onChange };
  if (keys.kind === "file") return keysInFile(resolve(baseDirectory, keys.path), notices);
  const certificates = caCert === undefined ? undefined : await openCertificates(resolve(baseDirectory, caCert), log);
  const fetch = (url: URL, signal: AbortSignal) =>
    fetchDocument(url, { ca: certificates?.current(), proxyFor, timeout, signal });
  const source = fetchedKeys(keys, fetch, freshness, notices);
  return {
    ...source,
    close() {
      source.close();
      certificates?.close();
    },
  };
}

function fetchedKeys(
  keys: Exclude<KeyLocation, { kind: "file" }>,
  fetch: (url: URL, signal: AbortSignal) => Promise<Document>,
  freshness: Freshness,
  notices: { readonly log: Logger; readonly onChange: () => void },
): KeySource {
  switch (keys.kind) {
    case "set":
      return keysAtUrl(keys.url.href, async () => keys.url, fetch, freshness, notices);
    case "discovered":
      return keysAtUrl(keys.issuer, (load) => discoverKeys(keys.issuer, load), fetch, freshness, notices);
    case "single":
      return keysByName(keys.template, fetch, freshness, notices);
  }
}

/** The credentials' token, where they hold something with the form of one. */
function tokenOf({ credentials }: AuthRequest, { bearer, basic }: ResolvedJwtOptions): string | undefined {
  if (credentials === undefined) return undefined;
  const text =
    credentials.scheme === "bearer"
      ? bearer && credentials.token
      : basic && credentials.scheme === "basic" && credentials.password;
  return typeof text === "string" && readTokenHeader(text) !== undefined ? text : undefined;
}

function rejected(reason: string): Rejected {
  return { status: "rejected", reason };
}

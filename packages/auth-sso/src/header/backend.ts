import {
  type AuthBackend,
  type AuthRequest,
  type AuthResult,
  type BackendContext,
  BackendUnavailableError,
  type LogLine,
  type Rejected,
} from "@registry-gate/auth";
import {
  addressSet,
  backendContext,
  readName,
  readText,
  subscriptions,
  type TextReading,
  warnOnce,
} from "@registry-gate/auth-kit";
import { conflictOf } from "../conflicting-users.ts";
import { inCase } from "../username-case.ts";
import { groupsIn } from "./groups-header.ts";
import { decodeValue, decodeWords } from "./header-value.ts";
import { type ResolvedHeaderOptions, resolveHeaderOptions, type SsoHeaderOptions } from "./options.ts";
import { secondProof } from "./second-proof.ts";

/** As long as a request head may be. */
const maxCredentialBytes = 32_768;

const ABSTAINED: AuthResult = { status: "abstained" };

/**
 * Makes a backend of the headers in which a reverse proxy names its user.
 *
 * It reads headers only from peers in `trustedProxies`. It abstains for all other peers and for
 * requests without the user header. The subject of an identity is the user's name.
 *
 * @param context Defaults: the id `sso-header`, the current directory, and no log.
 * @throws {InvalidOptionsError} when the options are wrong, or the file of the secret cannot be used at the start.
 */
export async function ssoHeaderBackend(
  options: SsoHeaderOptions,
  context: Partial<BackendContext> = {},
): Promise<AuthBackend> {
  const resolved = resolveHeaderOptions(options);
  const { id, baseDirectory, log, warn: warnOf, noClientCertificates } = backendContext(context, "sso-header");
  const { userHeader, groupsHeader, emailHeader, nameHeader, sharedSecret, fingerprints } = resolved;
  const proxies = addressSet(resolved.trustedProxies);
  const changes = subscriptions();
  const proof = await secondProof(resolved, { baseDirectory, log, onChange: changes.notify });
  if (options.trustAnyPeer === true && sharedSecret === undefined && fingerprints === undefined) {
    warnOf({ path: ["trustedProxies"], message: "any machine in these networks can impersonate any user" });
  }
  if (fingerprints !== undefined && noClientCertificates !== undefined) {
    const message = `nobody can sign in: ${noClientCertificates} no client certificate is requested`;
    warnOf({ path: ["clientCertificate"], message });
  }
  const headers = [userHeader, groupsHeader, emailHeader, nameHeader, sharedSecret?.header];
  const warn = warnOnce(log);
  let untrustedPeerLogged = false;

  return {
    id,
    credentialHeaders: [...new Set(headers.filter((header) => header !== undefined))],
    // It compares only the user name of a login.
    maxCredentialBytes,
    async authenticate(request) {
      if (!proxies.hasPeer(request.peer)) {
        if (!untrustedPeerLogged) {
          untrustedPeerLogged = true;
          const { requestId, peer } = request;
          log.debug({ requestId, peer: peer.address }, "ignored the headers of a peer that is not in trustedProxies");
        }
        return ABSTAINED;
      }
      const users = request.header(userHeader);
      if (users.length === 0) return ABSTAINED;
      const fault = proof.faultOf(request);
      return fault === undefined ? identify(request, users, resolved, id, warn) : rejected(fault);
    },
    onChange: changes.add,
    async check(signal) {
      if (signal.aborted) throw new BackendUnavailableError(id, "the check was aborted");
    },
    async close() {
      proof.close();
      changes.clear();
    },
  };
}

function identify(
  request: AuthRequest,
  users: readonly string[],
  options: ResolvedHeaderOptions,
  backend: string,
  warn: LogLine,
): AuthResult {
  const decode = options.encodedWords ? decodeWords : decodeValue;
  const user = readUser(users, decode, options);
  if (user.fault !== undefined) return rejected(`the user header ${user.fault}`);
  const { groupsHeader, emailHeader, nameHeader } = options;
  const read = groupsIn(groupsHeader === undefined ? [] : request.header(groupsHeader), options);
  if (typeof read === "string") return rejected(`the groups header ${read}`);
  for (const fault of read.skipped) {
    warn({ header: groupsHeader ?? "", reason: fault }, `skipped a group that ${fault}`);
  }

  const claims: Record<string, string> = {};
  for (const [claim, header] of [["email", emailHeader] as const, ["name", nameHeader] as const]) {
    const values = header === undefined ? [] : request.header(header);
    const value = single(values, decode);
    const text = value.fault === undefined && value.text !== "" ? readText(value.text) : value;
    if (text.fault === undefined && text.text !== "") claims[claim] = text.text;
    if (text.fault !== undefined) {
      warn({ header: header ?? "", reason: text.fault }, `ignored a header that ${text.fault}`);
    }
  }

  const username = user.text;
  const identity = {
    ...{ subject: username, username, groups: read.groups, backend },
    ...(read.ambiguous.length > 0 && { ambiguousGroups: read.ambiguous }),
    ...(Object.keys(claims).length > 0 && { claims }),
  };
  return conflictOf(request.credentials, username, options.usernameCase) ?? { status: "authenticated", identity };
}

type Decode = (value: string) => TextReading;

function readUser(values: readonly string[], decode: Decode, options: ResolvedHeaderOptions): TextReading {
  const { stripUserPrefix, usernameCase } = options;
  const value = single(values, decode);
  if (value.fault !== undefined) return value;
  // What Apache's mod_headers writes for a variable that is not set.
  if (value.text === "(null)") return { fault: "is (null): the proxy knows no user" };
  // Proxies join repeated headers with commas.
  if (value.text.includes(",")) return { fault: "holds several names" };
  if (!value.text.startsWith(stripUserPrefix)) return { fault: "does not begin with the prefix" };
  const name = readName(value.text.slice(stripUserPrefix.length));
  return name.fault === undefined ? { text: inCase(name.text, usernameCase) } : name;
}

/** Reads a header that may occur only once; a missing one is empty. */
function single(values: readonly string[], decode: Decode): TextReading {
  if (values.length > 1) return { fault: "occurs more than once" };
  return decode(values[0] ?? "");
}

function rejected(reason: string): Rejected {
  return { status: "rejected", reason };
}

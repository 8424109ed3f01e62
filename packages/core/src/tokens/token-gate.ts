import type { IncomingMessage } from "node:http";
import type { Authenticator } from "../authenticate/authenticator.ts";
import { mayListRepositories, permissionsOf } from "../authorize/permissions.ts";
import type { Policy } from "../authorize/policy.ts";
import type { Client } from "../client/client.ts";
import type { TokenGate } from "./token-endpoint.ts";

/**
 * What a token endpoint may ask about one request.
 *
 * @param signal Aborts when nobody waits for the response any more.
 */
export function tokenGate(
  authenticator: Authenticator,
  policy: Policy,
  request: IncomingMessage,
  client: Pick<Client, "address" | "scheme" | "host">,
  requestId: string,
  signal: AbortSignal,
): TokenGate {
  const source = { address: client.address, requestId };
  return {
    requestId,
    backends: authenticator.backends,
    origin: `${client.scheme}://${client.host}`,
    signal,
    authenticate: () => authenticator.authenticate(request, () => signal, source),
    verify: (credentials) => authenticator.verify(credentials, request, signal, source),
    permissions: (principal, repository) => permissionsOf(policy, principal, repository),
    mayListRepositories: (principal) => mayListRepositories(policy, principal),
  };
}

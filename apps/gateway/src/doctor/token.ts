import type { Challenge } from "./challenge.ts";
import { type Examination, StepEnd } from "./examination.ts";
import { type Connection, type Exchange, ExchangeError, exchange } from "./exchange.ts";
import { basicAuthorization, type Login } from "./login.ts";
import { realmsOf } from "./realm.ts";
import { described, endBy, isPage } from "./response-faults.ts";

export interface TokenQuery {
  readonly challenge: Challenge & { readonly kind: "bearer" };
  readonly scopes: readonly string[];
  readonly login: Login | undefined;
  readonly base: URL;
  readonly connection: Connection;
  readonly signal: AbortSignal;
  readonly report: Examination["report"];
}

/** How far clocks may differ, in milliseconds. */
const tolerance = 30_000;
/** What docker takes a token's lifetime for if it is shorter, in seconds. */
const shortestLifetime = 60;

/**
 * Asks for a token, as docker does (Docker token authentication). What keeps clients from the realm is reported, and the
 * token is then asked for at the gate's own address.
 *
 * @throws {StepEnd} where there is none; the finding has been reported.
 */
export async function fetchToken(query: TokenQuery): Promise<string> {
  const { report, login, signal } = query;
  const response = await ask(query);
  const seen = described(response);
  if (isPage(response)) {
    report(response.status >= 500 ? "gate-down" : "token-unusable", seen);
    throw new StepEnd(seen);
  }
  if (response.status === 401 && login === undefined) throw new StepEnd(`${seen}: no token without a login`);
  if (response.status !== 200) endBy(report, response, "pull");
  const { token, expiresIn } = readToken(response);
  if (token === undefined) {
    report("token-unusable", `${seen}, without a token`);
    throw new StepEnd("no token");
  }
  signal.throwIfAborted();
  const fault = timeFault(token, expiresIn);
  if (fault !== undefined) report("token-times", fault);
  return token;
}

async function ask({ challenge, scopes, login, base, connection, signal, report }: TokenQuery): Promise<Exchange> {
  const { given, own, onFailure } = realmsOf(challenge.realm, base, report);
  const send = (realm: URL): Promise<Exchange> => {
    const url = new URL(realm);
    if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
    if (login !== undefined) url.searchParams.set("account", login.username);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    return exchange({
      ...{ method: "GET", url, connection, signal },
      headers: login === undefined ? {} : { Authorization: basicAuthorization(login) },
    });
  };
  if (given === undefined) return send(own);
  try {
    return await send(given);
  } catch (error) {
    if (!(error instanceof ExchangeError) || error.code === "ABORTED" || given.host === base.host) throw error;
    report(onFailure, `the realm ${given.origin}${given.pathname} cannot be reached: ${error.message}`);
    return send(own);
  }
}

function readToken({ body }: Exchange): { token: string | undefined; expiresIn: number | undefined } {
  const nothing = { token: undefined, expiresIn: undefined };
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    if (typeof parsed !== "object" || parsed === null) return nothing;
    const { token, access_token, expires_in }: { token?: unknown; access_token?: unknown; expires_in?: unknown } =
      parsed;
    const found = token ?? access_token;
    return {
      token: typeof found === "string" && found !== "" ? found : undefined,
      expiresIn: typeof expires_in === "number" ? expires_in : undefined,
    };
  } catch {
    return nothing;
  }
}

/** What is wrong with the times of a token; those of an opaque one cannot be read. */
function timeFault(token: string, expiresIn: number | undefined): string | undefined {
  if (expiresIn !== undefined && expiresIn < shortestLifetime) {
    return `tokens live for ${expiresIn} s, and docker uses each for ${shortestLifetime} s`;
  }
  const { nbf, exp } = claimsOf(token);
  const now = Date.now();
  if (nbf !== undefined && nbf * 1000 > now + tolerance) {
    return `a fresh token is not valid before ${new Date(nbf * 1000).toISOString()}, by this machine's clock in the future`;
  }
  if (exp !== undefined && exp * 1000 < now) {
    return `a fresh token expired at ${new Date(exp * 1000).toISOString()}, by this machine's clock in the past`;
  }
  return undefined;
}

/** Of a JSON Web Token (RFC 7519); the signature is of no interest here. */
function claimsOf(token: string): { nbf: number | undefined; exp: number | undefined } {
  const nothing = { nbf: undefined, exp: undefined };
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    if (typeof claims !== "object" || claims === null) return nothing;
    const { nbf, exp }: { nbf?: unknown; exp?: unknown } = claims;
    return {
      nbf: typeof nbf === "number" && isDate(nbf) ? nbf : undefined,
      exp: typeof exp === "number" && isDate(exp) ? exp : undefined,
    };
  } catch {
    return nothing;
  }
}

function isDate(seconds: number): boolean {
  return Math.abs(seconds) <= 8.64e12;
}

import type { AuthRequest, Credentials } from "@registry-gate/auth";

/** The names under which a strategy finds a Basic login in `request.body`, as from the form of a login page. */
export interface FormFields {
  /** Default `username`. */
  readonly username?: string;
  /** Default `password`. */
  readonly password?: string;
}

/**
 * What a strategy sees in the place of the request: made anew for each time that it is asked, of the parsed credentials,
 * the backend's own headers and the peer, and of noResult else.
 */
export interface StrategyRequest {
  method: string;
  url: string;
  originalUrl: string;
  /** `authorization`, written anew, and the credential headers that the request has. */
  headers: Record<string, string>;
  /** A Basic login as a form would bring it; empty otherwise. */
  body: Record<string, string>;
  query: Record<string, string>;
  params: Record<string, string>;
  cookies: Record<string, string>;
  signedCookies: Record<string, string>;
  /** Forgotten afterwards. */
  session: Record<string, unknown>;
  ip: string | undefined;
  socket: StrategySocket;
  connection: StrategySocket;
  /** The value of a header, by its name in any case. */
  get(name: string): string | undefined;
  /** The same as `get`. */
  header(name: string): string | undefined;
}

interface StrategySocket {
  remoteAddress: string | undefined;
}

/** What a {@link StrategyRequest} is made of. */
export interface Given {
  readonly request: Pick<AuthRequest, "peer" | "header">;
  readonly credentials: Credentials | undefined;
  readonly credentialHeaders: readonly string[];
  readonly fields: Required<FormFields>;
}

/** @returns a fault, for the log, where the credentials cannot be written as a strategy would read them. */
export function strategyRequest({
  request,
  credentials,
  credentialHeaders,
  fields,
}: Given): StrategyRequest | { readonly fault: string } {
  const { peer } = request;
  const headers: Record<string, string> = {};
  const body: Record<string, string> = {};
  for (const name of credentialHeaders) {
    const [value, ...more] = request.header(name);
    if (more.length > 0) return { fault: `duplicate header ${name}` };
    if (value !== undefined) headers[name] = value;
  }
  if (credentials !== undefined) headers.authorization = authorizationOf(credentials);
  if (credentials?.scheme === "basic") {
    // The name would end at its first colon.
    if (credentials.username.includes(":")) return { fault: "a user name with a colon cannot be a Basic login" };
    if (credentials.password === "") return { fault: "the password is empty" };
    body[fields.username] = credentials.username;
    body[fields.password] = credentials.password;
  }
  const socket = { remoteAddress: peer.address };
  const get = (name: string): string | undefined => {
    const key = name.toLowerCase();
    return Object.hasOwn(headers, key) ? headers[key] : undefined;
  };
  return {
    ...{ method: "GET", url: "/", originalUrl: "/", headers, body, query: {}, params: {} },
    ...{ cookies: {}, signedCookies: {}, session: {}, ip: peer.address, socket, connection: socket, get, header: get },
  };
}

/** The secrets that a strategy, or its errors, may reveal. */
export function secretsOf({ headers, body }: StrategyRequest, fields: Required<FormFields>): string[] {
  const { authorization = "", ...others } = headers;
  const { [fields.password]: password = "" } = body;
  const [, encoded = ""] = authorization.split(" ");
  return [encoded, password, ...Object.values(others)];
}

function authorizationOf(credentials: Credentials): string {
  if (credentials.scheme === "bearer") return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`, "utf8").toString("base64")}`;
}

import type { IncomingMessage, ServerResponse } from "node:http";
import { InvalidOptionsError } from "@registry-gate/auth";
import { listOption, parseOptions, textOption, z } from "@registry-gate/auth-kit";
import { crossSiteFault } from "./cross-site.ts";
import type { Device, Devices } from "./devices.ts";
import { BodyError, hasJson, readJson } from "./json-body.ts";
import type { AccessTokens, UserReference } from "./manage.ts";
import { formatScopes } from "./scopes.ts";
import type { ListedAccessToken } from "./token-record.ts";
import { tokenIdPattern } from "./token-text.ts";

/** Options of {@link accessTokens}. */
export interface AccessTokensRouterOptions {
  readonly manage: AccessTokens;
  /** Who is signed in to the app: the user's backend, and the subject there. `undefined` for nobody. */
  readonly userOf: (request: IncomingMessage) => UserReference | undefined | Promise<UserReference | undefined>;
  /** The refresh tokens of users. Without it there is nothing below `/devices`. */
  readonly devices?: Devices;
  /**
   * The origin of the app's pages, such as `https://portal.example.com`. Default: scheme and host of the request, as Express
   * knows them.
   */
  readonly origin?: string;
}

/** A handler for an app of Express, or any that calls it with `next`. */
export type RouterHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

interface Result {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface NewTokenBody {
  readonly name: string;
  readonly expires?: string;
  readonly scopes?: readonly string[];
  readonly networks?: readonly string[];
}

const newTokenSchema: z.ZodType<NewTokenBody> = z.strictObject(
  {
    name: textOption("a name"),
    expires: textOption("a duration such as 30d").exactOptional(),
    scopes: listOption(textOption("a scope"), "scopes").exactOptional(),
    networks: listOption(textOption("an address or a CIDR block"), "addresses and CIDR blocks").exactOptional(),
  },
  "must be an object with name, expires, scopes and networks",
);

/**
 * Makes a router by which whoever is signed in to an app lists, creates and revokes their own access tokens, and the devices
 * that they have logged in on. It speaks JSON:
 *
 * - `GET /`: `{ tokens }`; `POST /` with `{ name, expires, scopes, networks }`: 201 with the token, this once;
 *   `DELETE /ID`: 204.
 * - `GET /devices`: `{ devices }`; `DELETE /devices/ID`: 204.
 *
 * Nobody reaches the tokens of others, and no page of another origin reaches any: what changes something must say that it
 * comes from the app's own origin, and a new token is asked for in JSON.
 */
export function accessTokens(options: AccessTokensRouterOptions): RouterHandler {
  return (request, response, next) => {
    serve(request, options).then(
      (result) => (result === undefined ? next() : send(response, result)),
      (error: unknown) => {
        const result = failure(error);
        if (result === undefined) next(error);
        else send(response, result);
      },
    );
  };
}

/** What a path names; an `id` of what is listed there. */
interface Route {
  readonly kind: "tokens" | "devices";
  readonly id: string | undefined;
}

const deviceIdPattern = /^[\w-]{1,128}$/;

function routeOf(url: string | undefined): Route | undefined {
  const [, ...segments] = (url ?? "").split("?", 1)[0]?.split("/") ?? [];
  if (segments.at(-1) === "") segments.pop();
  const isDevices = segments[0] === "devices";
  const [id, surplus] = isDevices ? segments.slice(1) : segments;
  if (surplus !== undefined) return undefined;
  if (id !== undefined && !(isDevices ? deviceIdPattern : tokenIdPattern).test(id)) return undefined;
  return { kind: isDevices ? "devices" : "tokens", id };
}

/** @returns `undefined` for what is none of the router's paths. */
async function serve(request: IncomingMessage, options: AccessTokensRouterOptions): Promise<Result | undefined> {
  const { manage, userOf, devices, origin } = options;
  const route = routeOf(request.url);
  if (route === undefined || (route.kind === "devices" && devices === undefined)) return undefined;
  const fault = crossSiteFault(request, origin);
  if (fault !== undefined) return problem(403, "DENIED", `the request is refused: ${fault}`);
  const user = await userOf(request);
  if (user === undefined) return problem(401, "UNAUTHORIZED", "sign in first");
  const owner = { backend: user.backend, subject: user.subject };
  const { kind, id } = route;
  if (id !== undefined) {
    if (request.method !== "DELETE") return notAllowed("DELETE");
    const revoked = kind === "tokens" ? await manage.revoke(id, owner) : await devices?.revoke(id, owner);
    return revoked === true ? { status: 204 } : problem(404, "NOT_FOUND", "there is no such token");
  }
  const { method } = request;
  if (method === "GET") {
    if (kind === "devices") return { status: 200, body: { devices: (await devices?.list(owner))?.map(shownDevice) } };
    return { status: 200, body: { tokens: (await manage.list(owner)).map(shownToken) } };
  }
  if (kind === "tokens" && method === "POST") return create(request, owner, manage);
  return notAllowed(kind === "tokens" ? "GET, POST" : "GET");
}

async function create(request: IncomingMessage, owner: UserReference, manage: AccessTokens): Promise<Result> {
  if (!hasJson(request)) return problem(415, "UNSUPPORTED", "the Content-Type must be application/json");
  const body = parseOptions(newTokenSchema, await readJson(request));
  const { token, accessToken } = await manage.create({ ...body, owner });
  return { status: 201, body: { token, ...shownToken(accessToken) } };
}

/** Of a token, what a page shows; times as in ISO 8601. */
function shownToken(token: ListedAccessToken): Readonly<Record<string, unknown>> {
  const { id, name, scopes, networks, createdAt, expiresAt, lastUsed } = token;
  return {
    ...{ id, name, createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt) },
    ...(scopes !== undefined && { scopes: formatScopes(scopes) }),
    ...(networks !== undefined && { networks }),
    ...(lastUsed !== undefined && { lastUsed: { ...lastUsed, time: isoTime(lastUsed.time) } }),
  };
}

function shownDevice(device: Device): Readonly<Record<string, unknown>> {
  const { id, client, address, createdAt, expiresAt, lastUsed } = device;
  return {
    ...{ id, client, address, createdAt: isoTime(createdAt) },
    ...{ expiresAt: isoTime(expiresAt), lastUsed: isoTime(lastUsed) },
  };
}

function isoTime(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}

/** What goes wrong in a known way; `undefined` for the rest, which is the app's to report. */
function failure(error: unknown): Result | undefined {
  if (error instanceof BodyError) return problem(error.status, "UNSUPPORTED", error.message);
  if (error instanceof InvalidOptionsError) {
    const errors = error.faults.map(({ path, message }) => ({ code: "INVALID", message, detail: { path } }));
    return { status: 400, body: { errors } };
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // Judged by its code: a backend or a store may have been built with another copy of its contract.
  if (code !== "BACKEND_UNAVAILABLE" && code !== "STATE_UNAVAILABLE") return undefined;
  return problem(503, "UNAVAILABLE", "access tokens are unavailable: try again later", { "Retry-After": "5" });
}

function problem(status: number, code: string, message: string, headers: Result["headers"] = {}): Result {
  return { status, body: { errors: [{ code, message }] }, headers };
}

function notAllowed(methods: string): Result {
  return problem(405, "UNSUPPORTED", `use ${methods}`, { Allow: methods });
}

function send(response: ServerResponse, { status, body, headers = {} }: Result): void {
  response.writeHead(status, {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...(body !== undefined && { "Content-Type": "application/json; charset=utf-8" }),
    ...headers,
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { exportJWK, generateKeyPair } from "jose";
import Provider, { type Configuration, type Grant, type KoaContextWithOIDC } from "oidc-provider";
import { listen } from "./listen.ts";

/** Somebody who can sign in. */
export interface Person {
  readonly password: string;
  readonly email: string;
  readonly name: string;
  readonly groups: readonly string[];
}

/** Something that gets tokens in its own name, such as a job of a CI. */
export interface Program {
  readonly secret: string;
  readonly groups: readonly string[];
}

export interface OpenIdProviderSettings {
  /** By user name. */
  readonly people: Readonly<Record<string, Person>>;
  /** By client id. */
  readonly programs?: Readonly<Record<string, Program>>;
}

/** What a relying party knows of itself. */
export interface Client {
  readonly id: string;
  readonly secret: string;
  readonly redirectUri: string;
}

/** A certified OpenID Connect provider, in this process, on a free port of the loopback interface. */
export interface OpenIdProvider {
  readonly issuer: string;
  readonly jwks: string;
  /**
   * Makes a relying party known (RFC 7591).
   *
   * @param more Further metadata, such as `post_logout_redirect_uris` and `backchannel_logout_uri`.
   */
  register(redirectUri: string, more?: Readonly<Record<string, unknown>>): Promise<Client>;
  /** Where a browser begins to sign in. */
  authorizationUrl(client: Client): string;
  /** Redeems the code that a browser has brought back to the client. */
  idToken(client: Client, code: string): Promise<string>;
  /** Gets a program an access token (RFC 6749, section 4.4), which is a JWT (RFC 9068) for {@link audience}. */
  programToken(id: string): Promise<string>;
  close(): Promise<void>;
}

/** The `aud` of the tokens of programs. */
const audience = "registry";
const resource = "https://registry.example.com";
const scope = "openid profile email groups";

export async function startOpenIdProvider(settings: OpenIdProviderSettings): Promise<OpenIdProvider> {
  const server = createServer();
  const issuer = `http://127.0.0.1:${await listen(server)}`;
  const provider = new Provider(issuer, await configurationOf(settings));
  const handle = provider.callback();
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (!request.url?.startsWith("/interaction/")) return void handle(request, response);
    signIn(provider, settings.people, request, response).catch((error: Error) => {
      response.writeHead(500).end(error.message);
    });
  });

  async function token(id: string, secret: string, parameters: Record<string, string>): Promise<unknown> {
    const headers = { authorization: `Basic ${btoa(`${id}:${secret}`)}` };
    return post(`${issuer}/token`, headers, new URLSearchParams(parameters));
  }

  return {
    issuer,
    jwks: `${issuer}/jwks`,
    async register(redirectUri, more = {}) {
      const metadata = JSON.stringify({ redirect_uris: [redirectUri], ...more });
      const client = await post(`${issuer}/reg`, { "content-type": "application/json" }, metadata);
      return { id: member(client, "client_id"), secret: member(client, "client_secret"), redirectUri };
    },
    authorizationUrl: ({ id, redirectUri }) =>
      `${issuer}/auth?${new URLSearchParams({ client_id: id, redirect_uri: redirectUri, response_type: "code", scope })}`,
    async idToken({ id, secret, redirectUri }, code) {
      const parameters = { grant_type: "authorization_code", code, redirect_uri: redirectUri };
      return member(await token(id, secret, parameters), "id_token");
    },
    async programToken(id) {
      const parameters = { grant_type: "client_credentials", resource };
      return member(await token(id, settings.programs?.[id]?.secret ?? "", parameters), "access_token");
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function post(url: string, headers: Record<string, string>, body: URLSearchParams | string): Promise<unknown> {
  const response = await fetch(url, { method: "POST", headers, body });
  const parsed: unknown = await response.json();
  if (!response.ok) throw new Error(`the provider refuses: ${JSON.stringify(parsed)}`);
  return parsed;
}

function member(response: unknown, name: string): string {
  const value = typeof response === "object" && response !== null ? Reflect.get(response, name) : undefined;
  if (typeof value !== "string") throw new Error(`the provider's response holds no ${name}`);
  return value;
}

async function configurationOf({ people, programs = {} }: OpenIdProviderSettings): Promise<Configuration> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const hour = 3600;
  return {
    clients: Object.entries(programs).map(([id, { secret }]) => ({
      client_id: id,
      client_secret: secret,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    })),
    scopes: scope.split(" "),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kty: "RSA", kid: "key-1", alg: "RS256", use: "sig" }] },
    cookies: { keys: ["a key for the cookies of tests"] },
    claims: {
      openid: ["sub"],
      profile: ["preferred_username", "name"],
      email: ["email", "email_verified"],
      groups: ["groups"],
    },
    // The ID token, too, tells all that was asked for.
    conformIdTokenClaims: false,
    pkce: { required: () => false },
    ttl: { AccessToken: hour, ClientCredentials: hour, IdToken: hour, Interaction: hour, Session: hour, Grant: hour },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      backchannelLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "",
          audience,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
    extraTokenClaims: (_context, { clientId = "" }) => ({ groups: [...(programs[clientId]?.groups ?? [])] }),
    findAccount: (_context, sub) => {
      const username = decodeURIComponent(sub);
      const person = people[username];
      if (person === undefined) return undefined;
      const { email, name, groups } = person;
      const claims = { sub, preferred_username: username, email, email_verified: true, name, groups: [...groups] };
      return { accountId: sub, claims: () => claims };
    },
    loadExistingGrant: grantWhatIsAsked,
    // Without the provider's own dispatcher, which reaches no loopback address: that is where its clients are here.
    fetch: (url, { method, headers, body, redirect, signal }: RequestInit = {}) =>
      fetch(url, {
        ...(method !== undefined && { method }),
        ...(headers !== undefined && { headers }),
        ...(body !== undefined && { body }),
        ...(redirect !== undefined && { redirect }),
        ...(signal !== undefined && { signal }),
      }),
  };
}

/** Nobody is asked for consent: these clients are the company's own. */
async function grantWhatIsAsked({ oidc }: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { client, session, provider, params } = oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(String(params?.scope ?? "openid"));
  await grant.save();
  return grant;
}

/** The page on which a person signs in. */
async function signIn(
  provider: Provider,
  people: OpenIdProviderSettings["people"],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  await provider.interactionDetails(request, response);
  const form = new URLSearchParams(request.method === "POST" ? await text(request) : "");
  const username = form.get("username") ?? "";
  if (Object.hasOwn(people, username) && people[username]?.password === form.get("password")) {
    // A subject is ASCII (OpenID Connect Core, section 2).
    const accountId = encodeURIComponent(username);
    return provider.interactionFinished(request, response, { login: { accountId } });
  }
  response.writeHead(request.method === "POST" ? 401 : 200, { "content-type": "text/html; charset=utf-8" });
  response.end(
    '<title>Sign in</title><form method="post"><input name="username"><input name="password" type="password">' +
      "<button>Sign in</button></form>",
  );
}

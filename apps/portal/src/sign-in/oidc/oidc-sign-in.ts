import { createHash } from "node:crypto";
import type { Identity, Logger } from "@registry-gate/auth";
import { requestIdOf } from "@registry-gate/core";
import type { Request, Response } from "express";
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";
import { localPath } from "../../http/local-path.ts";
import type { Shell } from "../../http/shell.ts";
import { PageError } from "../../pages/page.ts";
import type { PortalState } from "../../sessions/portal-state.ts";
import type { Secrets } from "../../sessions/secrets.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import { html } from "../../view/html.ts";
import type { SignInMethod } from "../sign-in-method.ts";
import { readIdentity } from "./identity.ts";
import { logoutTokens } from "./logout-token.ts";
import { type ProviderOptions, provider } from "./provider.ts";
import { sealedCookie } from "./sealed-cookie.ts";

/** How users sign in at a provider of OpenID Connect. */
export interface OidcOptions extends ProviderOptions {
  /** Default `openid`, `profile` and `email`. */
  readonly scopes?: readonly string[];
  /** Default `preferred_username`. */
  readonly usernameClaim?: string;
  /** Default: users have no groups. */
  readonly groupsClaim?: string;
  /** The id of the backend that users are known by, in logs and to rules. Default `oidc`. */
  readonly id?: string;
  /** Is told of each user who signs in, such as for `rememberedUsers`. */
  remember?(identity: Identity): Promise<void>;
}

/** What signing in at a provider needs. */
export interface OidcSignIn {
  readonly options: OidcOptions;
  readonly sessions: Sessions;
  readonly state: PortalState;
  readonly secrets: Secrets;
  readonly shell: Shell;
  readonly log: Logger | undefined;
}

/** The code flow with PKCE, state and nonce; signing out there as well, and being signed out from there. */
export function oidcSignIn({ options, sessions, state, secrets, shell, log }: OidcSignIn): SignInMethod {
  const { clientId, scopes = ["openid", "profile", "email"], groupsClaim, id = "oidc" } = options;
  const { usernameClaim = "preferred_username" } = options;
  const there = provider(options);
  const cookie = sealedCookie(secrets, sessions.secure);
  const verifyLogout = logoutTokens(state, clientId);

  const urlOf = (request: Request, path: string): string => {
    const { scheme, host } = shell.clientOf(request);
    return `${scheme}://${host}${path}`;
  };
  const redirectUri = (request: Request): string => urlOf(request, `${request.baseUrl}/sign-in/callback`);

  async function start(request: Request, response: Response): Promise<void> {
    shell.requireScheme(request);
    const configuration = await reach(response);
    const pending = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
    const to = localPath(request.query.to, request.baseUrl) ?? `${request.baseUrl}/`;
    await cookie.write(response, { ...pending, to });
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri(request),
      scope: scopes.join(" "),
      response_type: "code",
      code_challenge: await calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: "S256",
      state: pending.state,
      nonce: pending.nonce,
    });
    response.redirect(303, url.href);
  }

  async function finish(request: Request, response: Response): Promise<void> {
    const pending = await cookie.read(request);
    cookie.clear(response);
    if (pending === undefined)
      throw new PageError(400, "This browser has not begun to sign in here, or long ago. Begin again.");
    const configuration = await reach(response);
    const refuse = (error: unknown): never => {
      log?.warn({ requestId: requestIdOf(response), err: error }, "a sign-in by OpenID Connect was refused");
      throw new PageError(401, "The provider did not sign you in here. Begin again.");
    };
    const query = request.originalUrl.split("?", 2)[1] ?? "";
    const tokens = await authorizationCodeGrant(configuration, new URL(`${redirectUri(request)}?${query}`), {
      pkceCodeVerifier: pending.verifier,
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      idTokenExpected: true,
    }).catch(refuse);
    const inToken = tokens.claims();
    if (inToken === undefined) return refuse(new Error("there is no ID token"));
    const complete =
      inToken[usernameClaim] !== undefined && (groupsClaim === undefined || inToken[groupsClaim] !== undefined);
    const { userinfo_endpoint: endpoint } = configuration.serverMetadata();
    const more =
      complete || endpoint === undefined
        ? {}
        : await fetchUserInfo(configuration, tokens.access_token, inToken.sub).catch(refuse);
    const { identity, fault } = readIdentity({ ...more, ...inToken }, { usernameClaim, groupsClaim }, id);
    if (identity === undefined) return refuse(new Error(fault));
    const { sid } = inToken;
    if (typeof sid === "string")
      await state.set(sidKey(configuration.serverMetadata().issuer, sid), identity.subject, sessions.lifetime);
    await options.remember?.(identity);
    await sessions.signIn(request, response, { identity, ...(tokens.id_token && { idToken: tokens.id_token }) });
    response.redirect(303, localPath(pending.to, request.baseUrl) ?? `${request.baseUrl}/`);
  }

  /** @throws {PageError} where the provider is away. */
  async function reach(response: Response): Promise<Configuration> {
    try {
      return await there.current();
    } catch (error) {
      log?.warn({ requestId: requestIdOf(response), err: error }, "the provider of OpenID Connect cannot be reached");
      throw new PageError(503, "Nobody can sign in now: the provider cannot be reached. Try again in a moment.");
    }
  }

  /** The provider's own request: it has no cookie, and its token says all. */
  async function signedOutThere(request: Request, response: Response): Promise<void> {
    const body: unknown = request.body;
    const token = new URLSearchParams(typeof body === "string" ? body : "").get("logout_token") ?? "";
    const configuration = await reach(response);
    try {
      const target = await verifyLogout(token, configuration);
      const { issuer } = configuration.serverMetadata();
      const subject = "subject" in target ? target.subject : await state.get(sidKey(issuer, target.session));
      if (subject !== undefined) await sessions.end({ backend: id, subject });
      response.status(200).end();
    } catch (error) {
      if (isStateFault(error)) throw error;
      log?.warn({ requestId: requestIdOf(response), err: error }, "a logout token was refused");
      response.status(400).json({ error: "invalid_request" });
    }
  }

  return {
    find: (request) => sessions.signedIn(request),
    mount(router) {
      router.get("/sign-in", async (request, response) => {
        const to = localPath(request.query.to, request.baseUrl) ?? `${request.baseUrl}/`;
        if ((await sessions.signedIn(request)) !== undefined) return response.redirect(303, to);
        const start = `${request.baseUrl}/sign-in/start?${new URLSearchParams({ to })}`;
        const body = html`<h1>Sign in</h1>
          <p><a class="button" href="${start}">Sign in at ${new URL(options.issuer).host}</a></p>`;
        return shell.sendPlain(request, response, { title: "Sign in", body });
      });
      router.get("/sign-in/start", start);
      router.get("/sign-in/callback", finish);
      router.post("/sign-in/back-channel-logout", signedOutThere);
    },
    async afterSignOut(request, signedOut) {
      const here = `${request.baseUrl}/sign-in`;
      try {
        const configuration = await there.current();
        if (configuration.serverMetadata().end_session_endpoint === undefined) return here;
        return buildEndSessionUrl(configuration, {
          post_logout_redirect_uri: urlOf(request, here),
          ...(signedOut?.idToken !== undefined && { id_token_hint: signedOut.idToken }),
        }).href;
      } catch (error) {
        log?.warn(
          { err: error },
          "the provider of OpenID Connect cannot be reached: who signs out here is still signed in there",
        );
        return here;
      }
    },
    signOutOrigins: () => there.origins,
  };
}

/** Under which it is kept who is signed in by a session of the provider. */
function sidKey(issuer: string, sid: string): string {
  return `portal/provider-session/${createHash("sha256")
    .update(JSON.stringify([issuer, sid]))
    .digest("base64url")}`;
}

function isStateFault(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "STATE_UNAVAILABLE";
}

import type { Logger } from "@registry-gate/auth";
import { type Authenticator, type RegistryProxy, requestIdOf } from "@registry-gate/core";
import express, { type Router } from "express";
import { assetFiles } from "./asset-files.ts";
import { openAssets } from "./http/assets.ts";
import { errorPages } from "./http/error-pages.ts";
import { formTokens } from "./http/form-token.ts";
import { securityHeaders } from "./http/security-headers.ts";
import { type Shell, shell } from "./http/shell.ts";
import { allPages } from "./pages/all-pages.ts";
import { mountPage } from "./pages/mount-page.ts";
import { PageError } from "./pages/page.ts";
import type { PageSources } from "./pages/page-sources.ts";
import { registryClient } from "./registry/registry-client.ts";
import type { PortalState } from "./sessions/portal-state.ts";
import type { Secrets } from "./sessions/secrets.ts";
import type { Sessions } from "./sessions/sessions.ts";
import { formSignIn } from "./sign-in/form-sign-in.ts";
import { headerSignIn } from "./sign-in/header-sign-in.ts";
import { type OidcOptions, oidcSignIn } from "./sign-in/oidc/oidc-sign-in.ts";
import type { SignInMethod } from "./sign-in/sign-in-method.ts";

/** Options of {@link portal}. */
export interface PortalOptions {
  /** Made by `openSessions`; its `handler` is mounted before the portal, and before the registry. */
  readonly sessions: Sessions;
  /** The one that the registry uses, with `session: sessions.userOf`, so that failed logins count for both together. */
  readonly authenticator: Authenticator;
  /** The registry, in which the pages look and delete in the user's name. */
  readonly registry: RegistryProxy;
  /** Those of `openSessions`, for the forms of who has not signed in yet. */
  readonly secrets: Secrets;
  /** Default: a form, which asks the backends. */
  readonly signIn?: SignInOptions;
  /** Stands in the head of each page. Default `Registry`. */
  readonly title?: string;
  /** Groups whose members see what concerns everybody. Default none. */
  readonly adminGroups?: readonly string[];
  /** The proxies in front, as in the options of `registryProxy`. Default none. */
  readonly trustedProxies?: readonly string[];
  /** What the pages show beside repositories. Default: none of it. */
  readonly sources?: PageSources;
  readonly log?: Logger;
}

/** How users sign in at the pages. */
export type SignInOptions =
  | { readonly kind: "form" }
  /** A proxy in front names them; the sessions need `pagesOnly`. */
  | { readonly kind: "header"; readonly signOutUrl?: string }
  | ({ readonly kind: "oidc"; readonly state: PortalState } & OidcOptions);

/** A form is a few lines long. */
const longestForm = "32kb";

/**
 * Makes the portal's pages: a router, to be mounted at `/` or below a path. The registry stays where it is, under `/v2/` of the
 * same app.
 */
export async function portal(options: PortalOptions): Promise<Router> {
  const { sessions, authenticator, registry, secrets, log, trustedProxies = [] } = options;
  const { title = "Registry", adminGroups = [] } = options;
  const { sources = {} } = options;
  const modules = allPages(registry, { release: (login) => authenticator.release(login), ...sources });
  const assets = await openAssets(await assetFiles());
  const tokens = formTokens(secrets, sessions.secure);
  const frame = shell({ portalTitle: title, assets, tokens, modules, trustedProxies, secure: sessions.secure });
  const client = registryClient(registry, sessions);
  const signIn = signInMethod(options, frame);

  const router = express.Router({ caseSensitive: true });
  router.use((request, response, next) => {
    requestIdOf(response);
    // express-session asks by this whether a cookie for TLS alone may be set.
    Object.defineProperty(request, "secure", { value: frame.clientOf(request).scheme === "https", configurable: true });
    next();
  });
  router.use(securityHeaders(() => signIn.signOutOrigins()));
  router.use("/assets", assets.router);
  router.use(express.text({ type: "application/x-www-form-urlencoded", limit: longestForm }));
  signIn.mount(router);
  router.post("/sign-out", async (request, response) => {
    // A session that has ended has taken the token of its forms with it.
    if ((await sessions.signedIn(request)) === undefined) return response.redirect(303, `${request.baseUrl}/sign-in`);
    frame.requireOwnForm(request);
    const was = await sessions.signOut(request);
    response.redirect(303, await signIn.afterSignOut(request, was));
  });
  const parts = { title, adminGroups, signIn, shell: frame, registry, client };
  for (const { routes } of modules) for (const route of routes) mountPage(router, route, parts);
  router.use(() => {
    throw new PageError(404, "There is nothing at this address.");
  });
  router.use(errorPages(frame, log));
  return router;
}

function signInMethod(options: PortalOptions, frame: Shell): SignInMethod {
  const { sessions, authenticator, secrets, log, sources = {}, signIn = { kind: "form" } } = options;
  switch (signIn.kind) {
    case "form":
      return formSignIn({ sessions, authenticator, shell: frame, activity: sources.activity, log });
    case "header":
      return headerSignIn({ sessions, authenticator, signOutUrl: signIn.signOutUrl, log });
    case "oidc":
      return oidcSignIn({ options: signIn, sessions, state: signIn.state, secrets, shell: frame, log });
  }
}

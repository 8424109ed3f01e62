import type { Identity, UserPrincipal } from "@registry-gate/auth";
import { type RegistryProxy, requestIdOf } from "@registry-gate/core";
import type { Request, Response, Router } from "express";
import { localPath } from "../http/local-path.ts";
import type { Shell } from "../http/shell.ts";
import { untilGone } from "../http/until-gone.ts";
import { readerFor } from "../registry/reader.ts";
import type { RegistryClient } from "../registry/registry-client.ts";
import type { SignInMethod } from "../sign-in/sign-in-method.ts";
import { type PageContext, PageError, type PageResult, type PageRoute } from "./page.ts";

/** What pages are mounted with. */
export interface PageParts {
  readonly title: string;
  readonly adminGroups: readonly string[];
  readonly signIn: SignInMethod;
  readonly shell: Shell;
  readonly registry: RegistryProxy;
  readonly client: RegistryClient;
}

/** Mounts a route of a page: for who has signed in, and, where it takes a form, for a form of the session's own. */
export function mountPage(router: Router, route: PageRoute, parts: PageParts): void {
  const { signIn, shell } = parts;
  router[route.method](route.path, async (request, response) => {
    const identity = await signIn.find(request, response);
    if (identity === undefined) return response.redirect(303, signInPath(request));
    const form = route.method === "post" ? shell.requireOwnForm(request) : new URLSearchParams();
    const context = contextOf(request, response, identity, parts);
    if (route.adminsOnly === true && !context.isAdmin) throw new PageError(404, "There is nothing at this address.");
    const result = await route.handle({
      ...{ context, form, signal: untilGone(response) },
      parameters: parametersOf(request),
      query: new URLSearchParams(request.url.split("?", 2)[1] ?? ""),
    });
    await send(request, response, context, result, shell);
  });
}

function contextOf(request: Request, response: Response, identity: Identity, parts: PageParts): PageContext {
  const { title, adminGroups, shell, registry, client } = parts;
  const principal: UserPrincipal = { kind: "user", identity, via: "session" };
  const reached = shell.clientOf(request);
  const { notice } = request.session;
  if (notice !== undefined) delete request.session.notice;
  return {
    ...{ title, base: request.baseUrl, path: request.path, identity, principal, notice, client: reached },
    isAdmin: identity.groups.some((group) => adminGroups.includes(group)),
    formToken: shell.formToken(request, response),
    requestId: requestIdOf(response),
    reader: readerFor(registry, principal, untilGone(response)),
    registry: {
      delete: (path) => client.delete({ identity, client: reached }, path, untilGone(response)),
      permissions: (repository) => registry.permissions(principal, repository),
    },
  };
}

async function send(
  request: Request,
  response: Response,
  context: PageContext,
  result: PageResult,
  shell: Shell,
): Promise<void> {
  switch (result.kind) {
    case "redirect":
      if (result.notice !== undefined) request.session.notice = result.notice;
      response.redirect(303, request.baseUrl + result.to);
      return;
    case "page":
      await shell.sendSignedIn(request, response, result, context);
  }
}

/** After signing in the user goes on where they wanted to: a form that was sent is not sent again. */
function signInPath(request: Request): string {
  const to = request.method === "GET" ? localPath(request.originalUrl, request.baseUrl) : undefined;
  const query = to === undefined || to === `${request.baseUrl}/` ? "" : `?${new URLSearchParams({ to })}`;
  return `${request.baseUrl}/sign-in${query}`;
}

function parametersOf(request: Request): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [name, Array.isArray(value) ? value.join("/") : value]),
  );
}

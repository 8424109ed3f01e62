import { clientReader, type RequestClient } from "@registry-gate/core";
import type { Request, Response } from "express";
import { type PageContext, PageError, type PageModule } from "../pages/page.ts";
import { formTokenField } from "../view/forms.ts";
import type { Html } from "../view/html.ts";
import { plainPage, signedInPage } from "../view/layout.ts";
import type { Assets } from "./assets.ts";
import type { FormTokens } from "./form-token.ts";
import { crossSiteFault } from "./same-origin.ts";

/** A page's own part. */
export interface PageContent {
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
}

/** What all pages share, whoever asks: their frame, and how it is known that a form is the portal's own. */
export interface Shell {
  clientOf(request: Request): RequestClient;
  /** Sends a page to somebody who has not signed in. */
  sendPlain(request: Request, response: Response, content: PageContent): Promise<void>;
  sendSignedIn(request: Request, response: Response, content: PageContent, context: PageContext): Promise<void>;
  formToken(request: Request, response: Response): string;
  /**
   * @returns what the form holds.
   * @throws {PageError} for one that no page of the portal has sent, in this session.
   */
  requireOwnForm(request: Request): URLSearchParams;
  /** @throws {PageError} where the browser would not keep the cookie of a session. */
  requireScheme(request: Request): void;
}

/** What a shell is made of. */
export interface ShellParts {
  readonly portalTitle: string;
  readonly assets: Assets;
  readonly tokens: FormTokens;
  readonly modules: readonly PageModule[];
  readonly trustedProxies: readonly string[];
  /** Whether sessions are for TLS alone. */
  readonly secure: boolean;
}

export function shell({ portalTitle, assets, tokens, modules, trustedProxies, secure }: ShellParts): Shell {
  const clientOf = clientReader(trustedProxies);

  async function send(response: Response, { status = 200 }: PageContent, page: Html): Promise<void> {
    response
      .status(status)
      .type("html")
      .send(String(await page));
  }

  const frameOf = ({ baseUrl: base }: Request, { title, body }: PageContent) => ({
    ...{ portalTitle, title, body, base, assets: assets.at(base) },
  });

  return {
    clientOf,
    sendPlain: (request, response, content) => send(response, content, plainPage(frameOf(request, content))),
    sendSignedIn: (request, response, content, context) =>
      send(response, content, signedInPage(frameOf(request, content), context, modules)),
    formToken: (request, response) => tokens.issue(request, response),
    requireOwnForm(request) {
      if (crossSiteFault(request, clientOf(request)) !== undefined) {
        throw new PageError(403, "This form was not sent from a page of the portal.");
      }
      const body: unknown = request.body;
      const form = new URLSearchParams(typeof body === "string" ? body : "");
      if (tokens.accepts(request, form.get(formTokenField))) return form;
      throw new PageError(
        403,
        "This form belongs to another session. Go back, load the page again, and send it once more.",
      );
    },
    requireScheme(request) {
      if (!secure || clientOf(request).scheme === "https") return;
      throw new PageError(400, "Signing in works over https alone. Ask whoever runs this portal for its address.");
    },
  };
}

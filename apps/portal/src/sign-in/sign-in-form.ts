import { basicCredentials } from "@registry-gate/auth-kit";
import type { Authenticator, RequestClient, Verdict } from "@registry-gate/core";
import type { Request } from "express";
import { formTokenField } from "../view/forms.ts";
import { type Html, html } from "../view/html.ts";

/** What the sign-in form shows. */
export interface SignInForm {
  readonly action: string;
  readonly formToken: string;
  /** Where the user goes on. */
  readonly to: string;
  /** The name that was typed before. */
  readonly username?: string;
  /** Why it did not work. */
  readonly fault?: string;
}

export function signInForm({ action, formToken, to, username, fault }: SignInForm): Html {
  return html`<div class="sign-in">
    <h1>Sign in</h1>
    ${fault && html`<p class="notice failed" role="alert">${fault}</p>`}
    <form method="post" action="${action}">
      <input type="hidden" name="${formTokenField}" value="${formToken}">
      <input type="hidden" name="to" value="${to}">
      <label class="field">User name
        <input name="username" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" required${!username && html` autofocus`}>
      </label>
      <label class="field">Password
        <input name="password" type="password" autocomplete="current-password" required${username && html` autofocus`}>
      </label>
      <button>Sign in</button>
    </form>
    </div>`;
}

/**
 * Asks the backends as a login of docker does: they are throttled together.
 *
 * @returns `token` for what may be cut to less than its owner may do, and must not open a session in which that owner could make
 * wider ones; `undefined` for what cannot be a name and a password.
 */
export async function verifyForm(
  authenticator: Authenticator,
  form: URLSearchParams,
  request: Request,
  client: RequestClient & { readonly requestId: string },
  signal: AbortSignal,
): Promise<Verdict | "token" | undefined> {
  const credentials = basicCredentials(form.get("username") ?? "", form.get("password") ?? "");
  if (credentials === undefined) return undefined;
  const prefixes = authenticator.backends.flatMap(({ tokenPrefixes = [] }) => tokenPrefixes);
  if (prefixes.some((prefix) => prefix !== "" && credentials.password.startsWith(prefix))) return "token";
  const verdict = await authenticator.verify(credentials, request, signal, client);
  return verdict.outcome === "authenticated" && verdict.principal.grants !== undefined ? "token" : verdict;
}

import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { pageOf } from "../../list-page.ts";
import { pageIn } from "../../view/pager.ts";
import { type PageContext, PageError, type PageModule, type PageResult, type PageRoute } from "../page.ts";
import type { PageSources } from "../page-sources.ts";
import { emptyTokenForm, readTokenForm, scopesOf, type TokenForm } from "./token-form.ts";
import { createdView, devicesParameter, type TokenList, tokensView } from "./view.ts";

const entriesPerPage = 50;

/** The user's access tokens, and the machines on which they have logged in. */
export function tokens({
  accessTokens,
  devices,
}: Pick<PageSources, "accessTokens" | "devices">): readonly PageModule[] {
  if (accessTokens === undefined && devices === undefined) return [];

  async function listOf(context: PageContext, query: URLSearchParams): Promise<TokenList> {
    const owner = ownerOf(context);
    const [listed, machines] = await Promise.all([accessTokens?.list(owner), devices?.list(owner)]);
    return {
      tokens: listed && pageOf(newestFirst(listed), pageIn(query), entriesPerPage),
      devices: machines && pageOf(newestFirst(machines), pageIn(query, devicesParameter), entriesPerPage),
    };
  }

  async function page(
    context: PageContext,
    query: URLSearchParams,
    form: TokenForm,
    faults: readonly Fault[],
  ): Promise<PageResult> {
    const body = tokensView(context, await listOf(context, query), form, faults);
    return { kind: "page", title: "Tokens", body, ...(faults.length > 0 && { status: 400 }) };
  }

  const revoke = (path: string, revokeOne: (id: string, context: PageContext) => Promise<boolean>): PageRoute => ({
    method: "post",
    path,
    async handle({ context, parameters: { id = "" } }) {
      const was = await revokeOne(id, context);
      const notice = was
        ? { kind: "done" as const, text: "It is revoked: whoever uses it is refused from now on." }
        : { kind: "failed" as const, text: "It was revoked before, or has expired." };
      return { kind: "redirect", to: "/tokens", notice };
    },
  });

  const creating: readonly PageRoute[] =
    accessTokens === undefined
      ? []
      : [
          {
            method: "post",
            path: "/tokens",
            async handle({ context, query, form, signal }) {
              const asked = readTokenForm(form);
              try {
                const scopes = scopesOf(asked, context.registry.permissions);
                const { token, accessToken } = await accessTokens.create(
                  { owner: ownerOf(context), name: asked.name, expires: asked.expires, ...(scopes && { scopes }) },
                  signal,
                );
                return { kind: "page", title: "The new token", body: createdView(context, accessToken, token) };
              } catch (error) {
                if (!(error instanceof InvalidOptionsError)) throw error;
                return page(context, query, asked, error.faults);
              }
            },
          },
          revoke("/tokens/:id/revoke", (id, context) => accessTokens.revoke(id, ownerOf(context))),
        ];
  const forgetting: readonly PageRoute[] =
    devices === undefined ? [] : [revoke("/devices/:id/revoke", (id, context) => devices.revoke(id, ownerOf(context)))];
  const shown: PageRoute = {
    method: "get",
    path: "/tokens",
    handle: ({ context, query }) => page(context, query, emptyTokenForm, []),
  };
  return [{ menu: { label: "Tokens", path: "/tokens" }, routes: [shown, ...creating, ...forgetting] }];
}

function newestFirst<T extends { readonly createdAt: number }>(list: readonly T[]): readonly T[] {
  return list.toSorted((one, other) => other.createdAt - one.createdAt);
}

/** Nobody reaches the tokens of others: what is named in a request is an id among the user's own. */
function ownerOf({ identity }: PageContext): { readonly backend: string; readonly subject: string } {
  if (identity.backend === "") throw new PageError(500, "It is not known where your account is.");
  return { backend: identity.backend, subject: identity.subject };
}

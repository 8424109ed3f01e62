import { type AccessToken, type Device, formatScopes, type ListedAccessToken } from "@registry-gate/access-tokens";
import type { Fault } from "@registry-gate/auth";
import type { ListPage } from "../../list-page.ts";
import { commandLines } from "../../view/command-lines.ts";
import { formToken } from "../../view/forms.ts";
import { type Html, html } from "../../view/html.ts";
import { longName } from "../../view/names.ts";
import { pager } from "../../view/pager.ts";
import { table } from "../../view/table.ts";
import { timeView } from "../../view/time.ts";
import type { PageContext } from "../page.ts";
import { loginLines } from "./login-lines.ts";
import { expiries, type TokenForm, tokenActions } from "./token-form.ts";

/** What a user has, the newest first; absent where the gate gives out none. */
export interface TokenList {
  readonly tokens: ListPage<ListedAccessToken> | undefined;
  readonly devices: ListPage<Device> | undefined;
}

/** Stands for the page of the devices in the query. */
export const devicesParameter = "devices";

export function tokensView(
  context: PageContext,
  { tokens, devices }: TokenList,
  form: TokenForm,
  faults: readonly Fault[],
): Html {
  return html`<h1>Tokens</h1>
    ${tokens && accessTokensView(context, tokens)}
    ${tokens && newTokenView(context, form, faults)}
    ${devices && devicesView(context, devices)}`;
}

/** The token is shown on this page, and on none after it. */
export function createdView({ base, client, identity }: PageContext, { name }: AccessToken, token: string): Html {
  return html`<h1>The token ${name}</h1>
    <p class="notice done" role="status">This is the only time that it is shown. Copy it now.</p>
    ${commandLines([{ label: "The token", line: token }])}
    <h2>Log in with it</h2>
    ${commandLines(loginLines(client.host, identity.username, token))}
    <p><a href="${base}/tokens">I have copied it: back to the tokens</a></p>`;
}

function accessTokensView(context: PageContext, { items, page, pages }: ListPage<ListedAccessToken>): Html {
  if (items.length === 0) {
    return html`<h2>Access tokens</h2>
      <p class="empty">You have none. A token lets docker or a job log in without your password, and can be revoked alone.</p>`;
  }
  return html`<h2>Access tokens</h2>
    ${table(
      [
        { heading: "Name" },
        { heading: "For", label: true },
        { heading: "Created", label: true },
        { heading: "Expires", label: true },
        { heading: "Last used", label: true },
        { heading: "To revoke", hidden: true, kind: "action" },
      ],
      items.map(({ id, name, scopes, createdAt, expiresAt, lastUsed }) => [
        longName(name),
        scopes === undefined ? "whatever you may" : formatScopes(scopes).join(" "),
        timeView(createdAt),
        expiresAt === undefined ? "never" : timeView(expiresAt),
        lastUsed === undefined
          ? "never"
          : html`${timeView(lastUsed.time)}${lastUsed.address && html` from ${lastUsed.address}`}`,
        revokeForm(context, `/tokens/${id}/revoke`, "Revoke", name),
      ]),
    )}
    ${pager({ path: `${context.base}/tokens`, query: {}, page, pages, label: "Pages of access tokens" })}`;
}

function newTokenView(context: PageContext, form: TokenForm, faults: readonly Fault[]): Html {
  const general = faults.filter(
    ({ path: [key] }) => !["name", "expires", "repositories", "scopes", "actions"].includes(String(key)),
  );
  const fault = (...keys: readonly string[]): Html | undefined => {
    const found = faults.find(({ path: [key] }) => keys.includes(String(key)));
    return found && html`<span class="fault" role="alert">It ${found.message}.</span>`;
  };
  return html`<h2>New token</h2>
    ${general.map(({ message }) => html`<p class="notice failed" role="alert">It cannot be made: the owner ${message}.</p>`)}
    <form class="new-token" method="post" action="${context.base}/tokens">
      ${formToken(context)}
      <label class="field">Name <input name="name" value="${form.name}" required maxlength="64" pattern="[A-Za-z0-9]([A-Za-z0-9._\\-]*[A-Za-z0-9])?" autocomplete="off"></label>${fault("name")}
      <label class="field">Expires in <select name="expires">${expiries.map(
        (expiry) =>
          html`<option value="${expiry}"${expiry === form.expires && html` selected`}>${expiry.slice(0, -1)} days</option>`,
      )}</select></label>${fault("expires")}
      <label class="field">Repositories <input name="repositories" value="${form.repositories}" placeholder="team/** or team/app" autocomplete="off" spellcheck="false"></label>${fault("repositories") ?? (fault("scopes") && html`<span class="fault" role="alert">It must be a repository such as team/app, or a pattern such as team/**.</span>`)}
      <fieldset><legend>What it may do there</legend>${tokenActions.map(
        (action) =>
          html`<label class="choice"><input type="checkbox" name="actions" value="${action}"${form.actions.includes(action) && html` checked`}> ${action}</label>`,
      )}</fieldset>${fault("actions")}
      <p class="muted">Left empty, it may do whatever you may. A token is never good for more than you are.</p>
      <button>Create the token</button>
    </form>`;
}

function devicesView(context: PageContext, { items, page, pages }: ListPage<Device>): Html {
  return html`<h2>Where you are logged in</h2>
    ${
      items.length === 0
        ? html`<p class="empty">Nowhere. After a <code>docker login</code> with your password, the machine is listed here.</p>`
        : table(
            [
              { heading: "Client" },
              { heading: "Since", label: true },
              { heading: "Last used", label: true },
              { heading: "Expires", label: true },
              { heading: "To log out", hidden: true, kind: "action" },
            ],
            items.map(({ id, client, createdAt, lastUsed, expiresAt }) => [
              longName(client ?? "a client without a name"),
              timeView(createdAt),
              lastUsed === undefined ? "never" : timeView(lastUsed),
              expiresAt === undefined ? "never" : timeView(expiresAt),
              revokeForm(context, `/devices/${id}/revoke`, "Log out", client ?? "a client without a name"),
            ]),
          )
    }
    ${pager({ path: `${context.base}/tokens`, query: {}, page, pages, parameter: devicesParameter, label: "Pages of machines" })}`;
}

/** @param what Tells the button apart from others for who does not see its row. */
function revokeForm(context: PageContext, action: string, label: string, what: string): Html {
  return html`<form method="post" action="${context.base}${action}">${formToken(context)}<button class="quiet">${label}<span class="hidden"> ${what}</span></button></form>`;
}

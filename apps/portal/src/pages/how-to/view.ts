import { commandLines } from "../../view/command-lines.ts";
import { type Html, html } from "../../view/html.ts";
import type { PageContext } from "../page.ts";
import { clientGuides } from "./client-lines.ts";

export function howToView({ client, identity }: PageContext, authority: string | undefined): Html {
  const guides = clientGuides({
    host: client.host,
    secure: client.scheme === "https",
    username: identity.username,
    ownAuthority: authority !== undefined,
  });
  return html`<h1>How to</h1>
    <p>Set a client up for <code>${client.host}</code>. Where a password is asked for, an access token does as well.</p>
    ${
      authority &&
      html`<h2>The certificate</h2>
      ${commandLines([{ label: "Save this as ca.crt", line: authority }])}`
    }
    ${guides.map(({ client: name, lines }) => html`<h2>${name}</h2>${commandLines(lines)}`)}`;
}

import type { AssetPaths } from "../http/assets.ts";
import type { PageContext, PageModule } from "../pages/page.ts";
import { formToken } from "./forms.ts";
import { type Html, html } from "./html.ts";

/** What stands around the body of every page, for somebody who has signed in or not. */
export interface Frame {
  /** Of the portal. */
  readonly portalTitle: string;
  readonly title: string;
  readonly base: string;
  readonly assets: AssetPaths;
  readonly body: Html;
}

/** A whole page for somebody who has not signed in, or may not have: the form, or an error. Its title leads to where all begins. */
export function plainPage(frame: Frame): Html {
  return document(
    frame,
    html`<header><a class="home" href="${frame.base}/">${frame.portalTitle}</a></header>
    <main id="main">${frame.body}</main>`,
  );
}

/** A whole page with menu and sign-out. */
export function signedInPage(frame: Frame, context: PageContext, modules: readonly PageModule[]): Html {
  const { base, path, isAdmin, identity, notice } = context;
  const items = modules
    .flatMap(({ menu }) => menu ?? [])
    .filter(({ adminsOnly }) => isAdmin || adminsOnly !== true)
    .map(({ label, path: target }) => {
      const current = path === target || (target !== "/" && path.startsWith(`${target}/`));
      return html`<li><a href="${base}${target}"${current && html` aria-current="page"`}>${label}</a></li>`;
    });
  return document(
    frame,
    html`<a class="skip" href="#main">Skip to the page</a>
    <header>
      <a class="home" href="${base}/">${frame.portalTitle}</a>
      <nav aria-label="Main"><ul>${items}</ul></nav>
      <form class="sign-out" method="post" action="${base}/sign-out">
        ${formToken(context)}
        <span class="user" id="username">${identity.username}</span>
        <button>Sign out</button>
      </form>
    </header>
    <main id="main">
      ${notice && html`<p class="notice ${notice.kind}" role="${notice.kind === "failed" ? "alert" : "status"}">${notice.text}</p>`}
      ${frame.body}
    </main>`,
  );
}

function document({ portalTitle, title, assets }: Frame, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · ${portalTitle}</title>
    <link rel="stylesheet" href="${assets.path("modern-normalize.css")}">
    <link rel="stylesheet" href="${assets.path("portal.css")}">
    <script type="module" src="${assets.path("portal.js")}"></script>
  </head>
  <body>
    ${content}
  </body>
</html>
`;
}

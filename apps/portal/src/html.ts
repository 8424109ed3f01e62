/** Makes text out of whatever a value holds, wherever it stands in a page. */
function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${escapeText(title)}</title>
    <link rel="stylesheet" href="/browser/portal.css">
  </head>
  <body>
${body}
  </body>
</html>
`;
}

/** The page with the login form. */
export function loginPage({ token, failed }: { readonly token: string; readonly failed: boolean }): string {
  const message = failed ? `<p role="alert">The user name or the password is wrong.</p>` : "";
  return page(
    "Sign in",
    `    <h1>Sign in</h1>
    ${message}
    <form method="post" action="/login">
      <input type="hidden" name="token" value="${escapeText(token)}">
      <label>User name <input name="username" autocomplete="username" autofocus required></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
      <button>Sign in</button>
    </form>`,
  );
}

/** The page whose script fills in the repositories. */
export function repositoriesPage({ token, username }: { readonly token: string; readonly username: string }): string {
  return page(
    "Repositories",
    `    <header>
      <span>Signed in as <b id="username">${escapeText(username)}</b></span>
      <form method="post" action="/logout">
        <input type="hidden" name="token" value="${escapeText(token)}">
        <button>Sign out</button>
      </form>
    </header>
    <h1>Repositories</h1>
    <table>
      <thead><tr><th>Name</th><th>Tag</th><th></th><th>New tag</th><th></th><th></th></tr></thead>
      <tbody id="repositories"></tbody>
    </table>
    <p id="message" role="status"></p>
    <script type="module" src="/browser/portal.js"></script>`,
  );
}

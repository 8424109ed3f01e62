import { type Html, html } from "../../view/html.ts";
import type { PageContext } from "../page.ts";

export function repositoriesView({ registry }: PageContext, names: readonly string[]): Html {
  const rows = names.map((name) => {
    const { push, delete: remove } = registry.permissions(name);
    const rights = ["pull", push && "push", remove && "delete"].filter((right) => right !== false);
    return html`<tr><td>${name}</td><td>${rights.join(", ")}</td></tr>`;
  });
  return html`<h1>Repositories</h1>
    <table>
      <thead><tr><th>Name</th><th>You may</th></tr></thead>
      <tbody>${rows}</tbody>
    </table>`;
}

import { type Html, html } from "./html.ts";

/** The longest text that is searched for. */
const longestSearch = 200;

/**
 * A field that searches a list: by its button, and as people type with the portal's script, which replaces the element `#results`.
 *
 * @param label What is searched, such as `Search repositories`.
 */
export function searchForm(path: string, search: string, label: string): Html {
  return html`<form class="search" method="get" action="${path}" role="search" data-live="results">
    <label class="hidden" for="search">${label}</label>
    <input id="search" type="search" name="q" value="${search}" placeholder="${label}" maxlength="${longestSearch}" autocomplete="off" autocapitalize="none" spellcheck="false">
    <button>Search</button>
  </form>`;
}

export function searchIn(query: URLSearchParams): string {
  return (query.get("q") ?? "").trim().slice(0, longestSearch);
}

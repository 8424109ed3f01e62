import { type Html, html } from "./html.ts";

/** Where in a list a page is. */
export interface Place {
  /** The path of the list, with the base. */
  readonly path: string;
  /** What else stands in the query. */
  readonly query: Readonly<Record<string, string>>;
  /** From 1 on. */
  readonly page: number;
  readonly pages: number;
  /** What stands for the page in the query. */
  readonly parameter?: string;
  /** Tells it apart from another one of the same page. */
  readonly label?: string;
}

/** Links to the pages around; nothing for a list of one page. */
export function pager({ path, query, page, pages, parameter = "page", label = "Pages" }: Place): Html | undefined {
  if (pages < 2) return undefined;
  const to = (number: number): string =>
    `${path}?${new URLSearchParams({ ...query, ...(number > 1 && { [parameter]: String(number) }) })}`;
  const numbers = [...new Set([1, page - 1, page, page + 1, pages])].filter((number) => number >= 1 && number <= pages);
  const items = numbers.map((number, index) => {
    const gap = number - (numbers[index - 1] ?? 0) > 1 && html`<li class="gap" aria-hidden="true">…</li>`;
    return number === page
      ? html`${gap}<li><a href="${to(number)}" aria-current="page" aria-label="Page ${number}">${number}</a></li>`
      : html`${gap}<li><a href="${to(number)}" aria-label="Page ${number}">${number}</a></li>`;
  });
  return html`<nav class="pager" aria-label="${label}"><ul>
    ${page > 1 && html`<li><a href="${to(page - 1)}" rel="prev">Previous</a></li>`}
    ${items}
    ${page < pages && html`<li><a href="${to(page + 1)}" rel="next">Next</a></li>`}
  </ul></nav>`;
}

/** Reads the number of a page from a query; 1 where it is none. */
export function pageIn(query: URLSearchParams, parameter = "page"): number {
  const text = query.get(parameter) ?? "1";
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 1;
}

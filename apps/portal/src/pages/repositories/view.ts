import type { Permissions } from "@registry-gate/core";
import { shellWord } from "../../view/command-lines.ts";
import { copyLines } from "../../view/copy.ts";
import { type Html, html } from "../../view/html.ts";
import { longName } from "../../view/names.ts";
import { pager } from "../../view/pager.ts";
import { searchForm } from "../../view/search.ts";
import { type Column, table } from "../../view/table.ts";
import { timeView } from "../../view/time.ts";
import type { PageContext } from "../page.ts";

export interface RepositoryRow {
  readonly name: string;
  readonly permissions: Permissions;
  /** When the last push passed the gate, in milliseconds since the epoch; undefined where none did that is remembered. */
  readonly pushed: number | undefined;
}

export interface RepositoryList {
  readonly rows: readonly RepositoryRow[];
  readonly search: string;
  /** How many match, and how many there are. */
  readonly total: number;
  readonly all: number;
  /** There are more than are searched. */
  readonly cut: boolean;
  readonly page: number;
  readonly pages: number;
  /** How many stand on the pages before. */
  readonly from: number;
}

export function repositoriesView(context: PageContext, list: RepositoryList): Html {
  if (list.all === 0) return html`<h1>Repositories</h1>${firstPush(context)}`;
  const path = `${context.base}/`;
  return html`<h1>Repositories</h1>
    ${searchForm(path, list.search, "Search repositories")}
    <div id="results">
      <p class="count" role="status">${countOf(list)}</p>
      ${
        list.rows.length === 0
          ? html`<p class="empty">No repository has “${list.search}” in its name. <a href="${path}">Show all</a></p>`
          : listOf(context, list.rows)
      }
      ${pager({ path, query: queryOf(list), page: list.page, pages: list.pages })}
    </div>`;
}

function queryOf({ search }: RepositoryList): Readonly<Record<string, string>> {
  return search === "" ? {} : { q: search };
}

const count = new Intl.NumberFormat("en");

function countOf({ rows, total, all, from, search, cut, pages }: RepositoryList): string {
  const kind = total === 1 ? "repository" : "repositories";
  const of = search === "" ? `${count.format(total)} ${kind}` : `${count.format(total)} of ${count.format(all)} match`;
  const shown = pages > 1 ? `, ${count.format(from + 1)} to ${count.format(from + rows.length)} shown` : "";
  return `${of}${shown}${cut ? "; there are more, which are not searched" : ""}`;
}

function listOf({ base }: PageContext, rows: readonly RepositoryRow[]): Html {
  const columns: readonly Column[] = [
    { heading: "Name" },
    { heading: "You may", label: true },
    { heading: "Last pushed", label: true },
  ];
  return table(
    columns,
    rows.map(({ name, permissions, pushed }) => [
      html`<a href="${base}/r/${name}">${longName(name)}</a>`,
      rightsOf(permissions),
      pushed === undefined ? html`<span class="muted">not known</span>` : timeView(pushed),
    ]),
  );
}

/** In words: `pull and push`. */
export function rightsOf({ pull, push, delete: remove }: Permissions): string {
  const rights = [pull && "pull", push && "push", remove && "delete"].filter((right) => right !== false);
  return rights.length === 0 ? "nothing" : new Intl.ListFormat("en-GB").format(rights);
}

/** For who sees no repository yet: how the first image gets there. */
export function firstPush({
  client: { host },
  identity: { username },
  base,
}: Pick<PageContext, "client" | "identity" | "base">): Html {
  const image = `${host}/${exampleNamespace(username)}/hello:1.0`;
  return html`<div class="empty">
    <h2>There is nothing here yet</h2>
    <p>No repository that you may pull has an image. If you may push, these lines put a first one here:</p>
    ${copyLines(
      [
        `docker login -u ${shellWord(username)} ${shellWord(host)}`,
        "docker pull hello-world",
        `docker tag hello-world ${image}`,
        `docker push ${image}`,
      ],
      "the lines of a first push",
    )}
    <p>If the push is denied, <a href="${base}/why">ask why</a>, and who may give you the right.</p>
  </div>`;
}

/** A user name as a part of a repository's name. */
function exampleNamespace(username: string): string {
  const name = username
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return name === "" ? "team" : name;
}

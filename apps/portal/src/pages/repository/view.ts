import type { Permissions } from "@registry-gate/core";
import type { Artifact } from "../../registry/describe.ts";
import type { Tag, TagPage } from "../../registry/tag-page.ts";
import { formatBytes } from "../../view/bytes.ts";
import { copyLines } from "../../view/copy.ts";
import { type Html, html } from "../../view/html.ts";
import { longName, shortDigest } from "../../view/names.ts";
import { pager } from "../../view/pager.ts";
import { searchForm } from "../../view/search.ts";
import { type Column, table } from "../../view/table.ts";
import { timeView } from "../../view/time.ts";
import type { PageContext } from "../page.ts";
import { rightsOf } from "../repositories/view.ts";
import { pullLine } from "./pull-line.ts";

export interface RepositoryPage {
  readonly name: string;
  readonly permissions: Permissions;
  readonly search: string;
  readonly found: TagPage;
}

export function repositoryView(context: PageContext, { name, permissions, search, found }: RepositoryPage): Html {
  const path = `${context.base}/r/${name}`;
  return html`<p class="trail"><a href="${context.base}/">Repositories</a></p>
    <h1>${name}</h1>
    <p class="muted">You may ${rightsOf(permissions)} here. <a href="${context.base}/why?repository=${encodeURIComponent(name)}">Why?</a></p>
    ${
      found.all === 0
        ? noTags(context, name, permissions)
        : html`${searchForm(path, search, "Search tags")}
    <div id="results">
      <p class="count" role="status">${countOf(found, search)}</p>
      ${
        found.tags.length === 0
          ? html`<p class="empty">No tag has “${search}” in its name. <a href="${path}">Show all</a></p>`
          : listOf(context, name, found.tags)
      }
      ${pager({ path, query: search === "" ? {} : { q: search }, page: found.page, pages: found.pages })}
    </div>`
    }`;
}

function countOf({ total, all, cut }: TagPage, search: string): string {
  const more = cut ? "; there are more, which are not searched" : "";
  return `${search === "" ? `${all} ${all === 1 ? "tag" : "tags"}` : `${total} of ${all} match`}${more}`;
}

function listOf({ base, client }: PageContext, repository: string, tags: readonly Tag[]): Html {
  const columns: readonly Column[] = [
    { heading: "Tag" },
    { heading: "What it is" },
    { heading: "Size", kind: "figure" },
    { heading: "Made" },
    { heading: "Digest" },
    { heading: "To copy", hidden: true, kind: "action" },
  ];
  return table(
    columns,
    tags.map(({ name, artifact }) => [
      html`<a href="${base}/r/${repository}:${name}">${longName(name)}</a>`,
      ...(artifact === undefined
        ? [html`<span class="muted">not readable</span>`]
        : [
            html`${artifact.kind}${platforms(artifact)}`,
            formatBytes(artifact.bytes),
            made(artifact),
            shortDigest(artifact.digest),
            pullButton(pullLine(artifact.kind, client.host, repository, name), name),
          ]),
    ]),
  );
}

function pullButton(line: string, tag: string): Html {
  return html`<button type="button" class="quiet" data-copy="${line}" hidden>Copy pull<span class="hidden"> of ${tag}</span></button>`;
}

const mostPlatforms = 4;

function platforms({ platforms: all }: Artifact): Html | undefined {
  const names = all.flatMap(({ name }) => name ?? []);
  if (names.length === 0) return undefined;
  const more = names.length - mostPlatforms;
  const shown = names.slice(0, mostPlatforms).join(", ");
  return html`<span class="detail" title="${names.join(", ")}">${shown}${more > 0 && ` and ${more} more`}</span>`;
}

export function made({ created }: Artifact): Html {
  return created === undefined ? html`<span class="muted">not known</span>` : timeView(created);
}

function noTags({ client: { host } }: PageContext, name: string, permissions: Permissions): Html {
  return html`<div class="empty">
    <h2>There are no tags</h2>
    ${
      permissions.push
        ? html`<p>These lines push one:</p>
    ${copyLines([`docker tag IMAGE ${host}/${name}:1.0`, `docker push ${host}/${name}:1.0`], "the lines of a push")}`
        : html`<p>Nothing was pushed here yet, or all of it was deleted. You may not push here yourself.</p>`
    }
  </div>`;
}

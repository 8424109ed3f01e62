import pMap from "p-map";
import { pageOf } from "../list-page.ts";
import type { Artifact, Descriptions } from "./describe.ts";
import { listTags } from "./lists.ts";
import type { Reader } from "./reader.ts";

/** A tag as a page shows it; without an artifact where it is gone, or is of a kind that is not read. */
export interface Tag {
  readonly name: string;
  readonly artifact: Artifact | undefined;
}

export interface TagPage {
  readonly tags: readonly Tag[];
  /** How many tags match. */
  readonly total: number;
  /** How many tags there are. */
  readonly all: number;
  /** From 1 on. */
  readonly page: number;
  readonly pages: number;
  /** There are more than were read. */
  readonly cut: boolean;
}

const tagsPerPage = 25;
const mostTags = 20_000;
const concurrency = 8;

/**
 * One page of a repository's tags: those that people give first, `latest` and then from the highest on, then those that tools give, such as cosign's.
 *
 * @param search Part of the name.
 * @throws {NotAllowedError} @throws {RegistryFaultError}
 */
export async function readTagPage(
  reader: Reader,
  { describe }: Descriptions,
  repository: string,
  { search = "", page: asked = 1 }: { readonly search?: string; readonly page?: number },
): Promise<TagPage> {
  const { names, cut } = await listTags(reader, repository, mostTags);
  const wanted = search.toLowerCase();
  const matching = names.filter((name) => name.toLowerCase().includes(wanted)).reverse();
  const sorted = matching.toSorted((a, b) => rank(a) - rank(b));
  const { items, page, pages } = pageOf(sorted, asked, tagsPerPage);
  const tags = await pMap(items, async (name) => ({ name, artifact: await describe(reader, repository, name) }), {
    concurrency,
  });
  return { tags, total: sorted.length, all: names.length, page, pages, cut };
}

function rank(tag: string): number {
  if (tag === "latest") return 0;
  return isOfTool(tag) ? 2 : 1;
}

/** A digest as a tag, as cosign and the fallback of referrers write it. */
function isOfTool(tag: string): boolean {
  return /^sha(256|512)-[0-9a-f]{64}/.test(tag);
}

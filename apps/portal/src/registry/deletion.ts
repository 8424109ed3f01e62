import pMap from "p-map";
import type { Descriptions } from "./describe.ts";
import { listTags } from "./lists.ts";
import type { Reader } from "./reader.ts";

/** What goes when somebody deletes a tag or a digest. */
export interface Deletion {
  readonly digest: string;
  /** What the registry is asked to delete: the tag alone, or the digest with every tag of it. */
  readonly target: string;
  /** Every tag that goes, sorted. */
  readonly tags: readonly string[];
  /** Whether the manifest stays, for those who pull it by its digest. */
  readonly keepsDigest: boolean;
}

/** Sends a DELETE of the same person to the registry, and returns the status of the response. */
export type Remove = (target: string) => Promise<number>;

/** More tags than anybody can check before they go. */
const mostTags = 5000;
const concurrency = 8;
/** A tag that nobody chooses. */
const unusedTag = "registry-gate-portal-asks-whether-tags-can-be-deleted";

/** There are more tags than were read, so that what would go is not known. */
export class TooManyTagsError extends Error {
  override readonly name = "TooManyTagsError";
}

/** Whether a registry can delete a tag alone. */
export interface TagDeletion {
  /**
   * @param repository One from which the person may delete.
   * @returns false where the registry does not tell.
   */
  isSupported(repository: string, remove: Remove): Promise<boolean>;
}

/**
 * Finds out by a DELETE of a tag that does not exist (OCI distribution specification, "Deleting tags"): a registry that
 * knows only digests responds with 400 or 405, and not with 404. It is asked once.
 */
export function tagDeletion(): TagDeletion {
  let known: boolean | undefined;
  return {
    async isSupported(repository, remove) {
      if (known !== undefined) return known;
      const status = await remove(`${repository}/manifests/${unusedTag}`);
      if (status === 404) known = true;
      if (status === 400 || status === 405) known = false;
      return known ?? false;
    },
  };
}

/**
 * Finds out exactly what goes.
 *
 * @param reference A tag or a digest.
 * @param alone Whether the registry can delete a tag alone.
 * @returns `undefined` where the repository does not have it.
 * @throws {NotAllowedError} @throws {RegistryFaultError} @throws {TooManyTagsError}
 */
export async function planDeletion(
  reader: Reader,
  { resolve }: Descriptions,
  repository: string,
  reference: string,
  alone: boolean,
): Promise<Deletion | undefined> {
  const digest = await resolve(reader, repository, reference);
  if (digest === undefined) return undefined;
  const isTag = !reference.includes(":");
  if (isTag && alone) return { digest, target: reference, tags: [reference], keepsDigest: true };
  const { names, cut } = await listTags(reader, repository, mostTags);
  if (cut) throw new TooManyTagsError(`the repository has more than ${mostTags} tags`);
  const digests = await pMap(names, (tag) => resolve(reader, repository, tag), { concurrency });
  return { digest, target: digest, tags: names.filter((_, index) => digests[index] === digest), keepsDigest: false };
}

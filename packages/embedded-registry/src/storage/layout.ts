import { join } from "node:path";
import type { Digest } from "../names/digest.ts";

/**
 * Where things lie in the registry's directory. A component of a repository's name never begins with an underscore, so
 * that `_blobs` and its like cannot be part of a name.
 *
 *     incoming/<random>                                     uploads and files being written
 *     repositories/<name>/_blobs/<algorithm>/<hex>          content; a mounted blob is a hard link
 *     repositories/<name>/_manifests/<algorithm>/<hex>      media type, line feed, content
 *     repositories/<name>/_tags/<tag>                       digest
 *     repositories/<name>/_referrers/<subject>/<digest>     empty; both named <algorithm>-<hex>
 */
export interface Layout {
  readonly incoming: string;
  readonly repositories: string;
  /** The folders of which a repository has at least one as soon as something was pushed into it. */
  contents(repository: string): readonly string[];
  blob(repository: string, digest: Digest): string;
  manifest(repository: string, digest: Digest): string;
  tags(repository: string): string;
  tag(repository: string, tag: string): string;
  referrers(repository: string, subject: Digest): string;
  referrer(repository: string, subject: Digest, manifest: Digest): string;
}

export function layoutOf(directory: string): Layout {
  const repositories = join(directory, "repositories");
  const repository = (name: string): string => join(repositories, ...name.split("/"));
  const fileName = (digest: Digest): string => `${digest.algorithm}-${digest.hex}`;
  const referrers = (name: string, subject: Digest): string => join(repository(name), "_referrers", fileName(subject));
  return {
    incoming: join(directory, "incoming"),
    repositories,
    contents: (name) => [join(repository(name), "_blobs"), join(repository(name), "_manifests")],
    blob: (name, digest) => join(repository(name), "_blobs", digest.algorithm, digest.hex),
    manifest: (name, digest) => join(repository(name), "_manifests", digest.algorithm, digest.hex),
    tags: (name) => join(repository(name), "_tags"),
    tag: (name, tag) => join(repository(name), "_tags", tag),
    referrers,
    referrer: (name, subject, manifest) => join(referrers(name, subject), fileName(manifest)),
  };
}

import { LRUCache } from "lru-cache";
import {
  type ImageConfig,
  type Kind,
  type Manifest,
  manifestTypes,
  readImageConfig,
  readManifest,
} from "./artifact.ts";
import { type Reader, RegistryFaultError } from "./reader.ts";

/** What stands behind a tag or a digest. */
export interface Artifact {
  readonly digest: string;
  readonly mediaType: string;
  readonly kind: Kind;
  /** Of all platforms together, in bytes; layers that they share count once a platform. */
  readonly bytes: number;
  readonly platforms: readonly Platform[];
  readonly created: Date | undefined;
  readonly subject: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Platform {
  /** Such as `linux/arm64/v8`; `undefined` where the registry does not tell. */
  readonly name: string | undefined;
  readonly digest: string;
  readonly bytes: number;
}

/** Content by digest does not change: it is read once a repository. Whether somebody may see it is asked each time. */
export interface Descriptions {
  /**
   * @param reference A tag or a digest.
   * @returns `undefined` where the repository does not have it.
   * @throws {NotAllowedError} @throws {RegistryFaultError}
   */
  describe(reader: Reader, repository: string, reference: string): Promise<Artifact | undefined>;
  /** The digest alone. */
  resolve(reader: Reader, repository: string, reference: string): Promise<string | undefined>;
}

/** The maximum number of remembered artifacts, of a few hundred bytes each. */
const mostRemembered = 10_000;
/** Of one index: no known image has as many. */
const mostPlatforms = 32;

export function descriptions(): Descriptions {
  const known = new LRUCache<string, Artifact>({ max: mostRemembered });

  async function resolve(reader: Reader, repository: string, reference: string): Promise<string | undefined> {
    const found = await reader.head(`${repository}/manifests/${reference}`, manifestTypes);
    if (found === undefined) return undefined;
    const digest = found.headers["docker-content-digest"];
    if (digest === undefined) throw new RegistryFaultError("the registry does not send the digest of a tag");
    return digest;
  }

  async function manifestOf(reader: Reader, repository: string, digest: string, tag?: string) {
    const found = await reader.get(`${repository}/manifests/${digest}`, manifestTypes);
    return found && readManifest(found.body, found.headers["content-type"] ?? "", tag);
  }

  async function configOf(reader: Reader, repository: string, { imageConfig }: Manifest): Promise<ImageConfig> {
    const found = imageConfig === undefined ? undefined : await reader.get(`${repository}/blobs/${imageConfig}`);
    return found === undefined ? { platform: undefined, created: undefined } : readImageConfig(found.body);
  }

  async function platformsOf(reader: Reader, repository: string, digest: string, manifest: Manifest) {
    const entries =
      manifest.kind === "multi-platform image"
        ? manifest.manifests.filter(({ platform }) => platform !== undefined).slice(0, mostPlatforms)
        : [{ digest, platform: undefined }];
    let created = manifest.created;
    const platforms: Platform[] = [];
    for (const entry of entries) {
      const own = entry.digest === digest ? manifest : await manifestOf(reader, repository, entry.digest);
      if (own === undefined) continue;
      // One config tells the age of an index.
      const config =
        created === undefined || entry.platform === undefined ? await configOf(reader, repository, own) : undefined;
      created ??= own.created ?? config?.created;
      platforms.push({ name: entry.platform ?? config?.platform, digest: entry.digest, bytes: own.bytes });
    }
    return { platforms, created };
  }

  return {
    resolve,
    async describe(reader, repository, reference) {
      const digest = await resolve(reader, repository, reference);
      if (digest === undefined) return undefined;
      const tag = reference.includes(":") ? undefined : reference;
      const key = `${repository}@${digest}`;
      const remembered = known.get(key);
      if (remembered !== undefined) return remembered;
      const manifest = await manifestOf(reader, repository, digest, tag);
      if (manifest === undefined) return undefined;
      const { platforms, created } = await platformsOf(reader, repository, digest, manifest);
      const artifact: Artifact = {
        digest,
        mediaType: manifest.mediaType,
        kind: manifest.kind,
        bytes: platforms.reduce((sum, { bytes }) => sum + bytes, 0),
        platforms,
        created,
        subject: manifest.subject,
        annotations: manifest.annotations,
      };
      known.set(key, artifact);
      return artifact;
    },
  };
}

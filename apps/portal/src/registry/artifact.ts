import { z } from "@registry-gate/auth-kit";
import { readJson } from "../read-json.ts";

/** What a manifest is to people. */
export type Kind =
  | "image"
  | "multi-platform image"
  | "Helm chart"
  | "signature"
  | "attestation"
  | "SBOM"
  | "WebAssembly module"
  | "artifact";

/** A manifest, as a page shows it. */
export interface Manifest {
  readonly mediaType: string;
  readonly kind: Kind;
  /** The config and the layers, in bytes. Of an index: 0, its manifests have theirs. */
  readonly bytes: number;
  /** Of an index. */
  readonly manifests: readonly PlatformManifest[];
  /** The digest of the config where it is one of an image, which tells platform and age. */
  readonly imageConfig: string | undefined;
  /** From the annotations. */
  readonly created: Date | undefined;
  /** The digest of what it refers to: a signature's image. */
  readonly subject: string | undefined;
  /** Short texts of the annotations, such as title and version. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface PlatformManifest {
  readonly digest: string;
  readonly mediaType: string;
  /** Such as `linux/amd64`; `undefined` where it is no image, such as an attestation. */
  readonly platform: string | undefined;
}

/** In the order in which they are preferred. */
export const manifestTypes: string = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "*/*",
].join(", ");

const digest = z.string().regex(/^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,}$/);
const annotations = z.record(z.string(), z.string()).nullish();
const platform = z
  .object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
  .transform(({ os, architecture, variant }) => [os, architecture, variant].filter(Boolean).join("/"));
const descriptor = z.object({
  mediaType: z.string().default(""),
  digest,
  size: z.number().nonnegative().default(0),
  annotations,
  artifactType: z.string().optional(),
  platform: platform.optional().catch(undefined),
});
const manifestSchema = z.object({
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: descriptor.optional(),
  layers: z.array(descriptor).nullish(),
  manifests: z.array(descriptor).nullish(),
  subject: z.object({ digest }).nullish(),
  annotations,
});
type Parsed = z.output<typeof manifestSchema>;

const createdSchema = z.object({ created: z.string() });

const imageConfigs: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
]);
/** What neither an annotation nor a page needs more of. */
const mostAnnotations = 32;
const longestAnnotation = 1024;

/**
 * Reads a manifest of the OCI image specification, or of Docker's image manifest, version 2, schema 2.
 *
 * @param type The `Content-Type` of the response.
 * @param tag By which it was found: cosign's fallback names its kind.
 * @returns `undefined` for anything else, such as the signed manifests of old.
 */
export function readManifest(body: string, type: string, tag?: string): Manifest | undefined {
  const data = readJson(manifestSchema, body);
  if (data === undefined || (data.config === undefined && data.manifests == null)) return undefined;
  const mediaType = data.mediaType ?? type.split(";", 1)[0]?.trim() ?? "";
  const kind = kindOf(data, tag);
  const config = data.config;
  return {
    mediaType,
    kind,
    bytes: (config?.size ?? 0) + (data.layers ?? []).reduce((sum, { size }) => sum + size, 0),
    manifests: (data.manifests ?? []).map((entry) => ({
      digest: entry.digest,
      mediaType: entry.mediaType,
      platform: isAttached(entry) ? undefined : entry.platform,
    })),
    imageConfig: config !== undefined && imageConfigs.has(config.mediaType) ? config.digest : undefined,
    created: dateIn(data.annotations?.["org.opencontainers.image.created"]),
    subject: data.subject?.digest,
    annotations: shortTexts(data.annotations ?? {}),
  };
}

/** BuildKit keeps provenance beside the platforms, as manifests of an unknown one. */
function isAttached(entry: z.output<typeof descriptor>): boolean {
  return (
    entry.annotations?.["vnd.docker.reference.type"] !== undefined || entry.platform?.startsWith("unknown/") === true
  );
}

function kindOf(data: Parsed, tag: string | undefined): Kind {
  const type = data.artifactType ?? data.config?.mediaType ?? "";
  const layer = data.layers?.[0]?.mediaType ?? "";
  if (data.manifests != null) return "multi-platform image";
  if (type.startsWith("application/vnd.cncf.helm.")) return "Helm chart";
  if (/^application\/vnd\.wasm\./.test(type)) return "WebAssembly module";
  const fallback = /^sha256-[0-9a-f]{64}\.(sig|att|sbom)$/.exec(tag ?? "")?.[1];
  const said = `${type} ${layer}`;
  if (fallback === "sig" || /cosign\.simplesigning|cncf\.notary\.signature|sigstore\.bundle/.test(said))
    return "signature";
  if (fallback === "sbom" || /spdx|cyclonedx|syft/.test(said)) return "SBOM";
  if (fallback === "att" || /in-toto|dsse\.envelope/.test(said)) return "attestation";
  return imageConfigs.has(data.config?.mediaType ?? "") && data.artifactType === undefined ? "image" : "artifact";
}

/** A config of an image (OCI image specification, `config.md`). */
export interface ImageConfig {
  readonly platform: string | undefined;
  readonly created: Date | undefined;
}

export function readImageConfig(body: string): ImageConfig {
  return { platform: readJson(platform, body), created: dateIn(readJson(createdSchema, body)?.created) };
}

function dateIn(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const date = new Date(text);
  // Reproducible builds claim 1970, or another date that says nothing.
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() < 2000 ? undefined : date;
}

function shortTexts(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(texts)
      .slice(0, mostAnnotations)
      .map(([name, text]) => [name, text.slice(0, longestAnnotation)]),
  );
}

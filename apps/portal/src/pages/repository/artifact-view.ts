import type { Permissions } from "@registry-gate/core";
import type { Artifact, Platform } from "../../registry/describe.ts";
import type { Referrer } from "../../registry/referrers.ts";
import { formatBytes } from "../../view/bytes.ts";
import { copyLine } from "../../view/copy.ts";
import { type Html, html } from "../../view/html.ts";
import { longName, shortDigest } from "../../view/names.ts";
import { table } from "../../view/table.ts";
import type { PageContext } from "../page.ts";
import { pullLine } from "./pull-line.ts";
import { writeReference } from "./reference.ts";
import { made } from "./view.ts";

export interface ArtifactPage {
  readonly name: string;
  /** The tag or digest by which it was asked for. */
  readonly reference: string;
  readonly artifact: Artifact;
  readonly referrers: readonly Referrer[];
  readonly permissions: Permissions;
}

export function artifactView(context: PageContext, page: ArtifactPage): Html {
  const { name, reference, artifact, referrers, permissions } = page;
  const { base, client } = context;
  const byDigest = reference.includes(":");
  const line = (to: string): string => pullLine(artifact.kind, client.host, name, to);
  const whole = writeReference(name, reference);
  return html`<p class="trail"><a href="${base}/">Repositories</a> / <a href="${base}/r/${name}">${name}</a></p>
    <h1>${byDigest ? artifact.digest : reference}</h1>
    <h2>Pull</h2>
    ${!byDigest && copyLine(line(reference), "the command by tag")}
    ${copyLine(line(artifact.digest), "the command by digest")}
    <h2>About</h2>
    <dl class="facts">
      <div><dt>What it is</dt><dd>${artifact.kind}</dd></div>
      <div><dt>Size</dt><dd>${formatBytes(artifact.bytes)}</dd></div>
      <div><dt>Made</dt><dd>${made(artifact)}</dd></div>
      <div><dt>Digest</dt><dd><code>${artifact.digest}</code></dd></div>
      <div><dt>Media type</dt><dd><code>${artifact.mediaType}</code></dd></div>
      ${artifact.subject !== undefined && html`<div><dt>Refers to</dt><dd><a href="${base}/r/${writeReference(name, artifact.subject)}">${shortDigest(artifact.subject)}</a></dd></div>`}
    </dl>
    ${platformTable(base, name, artifact.platforms)}
    <h2>Signatures and other referrers</h2>
    ${referrerTable(base, name, referrers)}
    ${annotations(artifact)}
    ${
      permissions.delete &&
      html`<h2>Delete</h2>
    <p>You are asked first, and told exactly what goes.</p>
    <p><a class="button danger" href="${base}/delete/${whole}">Delete …</a></p>`
    }`;
}

function platformTable(base: string, repository: string, platforms: readonly Platform[]): Html | undefined {
  if (!platforms.some(({ name }) => name !== undefined)) return undefined;
  return html`<h2>Platforms</h2>
    ${table(
      [{ heading: "Platform" }, { heading: "Size", kind: "figure" }, { heading: "Digest" }],
      platforms.map(({ name, bytes, digest }) => [
        name ?? "not known",
        formatBytes(bytes),
        html`<a href="${base}/r/${writeReference(repository, digest)}">${shortDigest(digest)}</a>`,
      ]),
    )}`;
}

function referrerTable(base: string, repository: string, referrers: readonly Referrer[]): Html {
  if (referrers.length === 0)
    return html`<p class="muted">Nothing refers to it: no signature, no attestation, no SBOM.</p>`;
  return table(
    [{ heading: "Type" }, { heading: "Digest" }],
    referrers.map(({ artifactType, digest }) => [
      longName(artifactType),
      html`<a href="${base}/r/${writeReference(repository, digest)}">${shortDigest(digest)}</a>`,
    ]),
  );
}

function annotations({ annotations: all }: Artifact): Html | undefined {
  const entries = Object.entries(all);
  if (entries.length === 0) return undefined;
  return html`<h2>Annotations</h2>
    <dl class="facts">${entries.map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>`;
}

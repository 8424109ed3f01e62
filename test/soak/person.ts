import { createHash, randomBytes, randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { configOf, manifestType } from "../support/registry-content.ts";
import { type Call, GiveUpError, type HttpClient, type Reply } from "./http-client.ts";
import type { KeptImage, Ledger } from "./ledger.ts";
import type { Login } from "./login.ts";

/** Between two pieces of work, in milliseconds. */
const pause = 100;
const sizes = { least: 200, most: 200_000 };
/** How often an upload is begun again, because the site lost it. */
const mostUploads = 20;

/** Pushes and pulls, deletes, and looks at what others keep for themselves, one after the other until told to stop. */
export async function work(login: Login, client: HttpClient, ledger: Ledger, over: AbortSignal): Promise<void> {
  const repository = `${login.username}/app`;
  for (let turn = 0; !over.aborted; turn++) {
    try {
      if (turn % 3 === 0) await push(repository, `v${turn}`);
      else if (turn % 12 === 7) await deleteOne();
      else if (turn % 5 === 4) await peep();
      else await pullOne();
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      ledger.violate(`${login.username}: ${words}`);
      if (error instanceof GiveUpError) return;
    }
    await delay(pause);
  }

  /** Sends a request as this person. A token may have ended meanwhile; a new one is good. */
  async function send(call: Call, repositoryOf = repository): Promise<Reply> {
    const once = async (): Promise<Reply> =>
      client.send({ ...call, headers: { ...call.headers, ...(await login.headers(repositoryOf)) } });
    const reply = await once();
    if (reply.status !== 401) return reply;
    login.refused();
    return once();
  }

  async function push(name: string, tag: string): Promise<void> {
    const layer = randomBytes(randomInt(sizes.least, sizes.most));
    const config = Buffer.from(configOf(layer.toString("base64", 0, 30)));
    for (const blob of [layer, config]) await pushBlob(name, blob);
    const descriptor = (mediaType: string, blob: Buffer) => ({
      mediaType,
      digest: digestOf(blob),
      size: blob.length,
    });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: descriptor("application/vnd.docker.container.image.v1+json", config),
        layers: [descriptor("application/vnd.docker.image.rootfs.diff.tar", layer)],
      }),
    );
    const { status, body } = await send({
      method: "PUT",
      target: `/v2/${name}/manifests/${tag}`,
      headers: { "Content-Type": manifestType },
      body: manifest,
    });
    if (status !== 201) throw new Error(`pushing ${name}:${tag}: ${status} ${body.toString()}`);
    const digest = digestOf(manifest);
    ledger.keep({ username: login.username, repository: name, digest, layer: digestOf(layer) });
  }

  /** Two chunks and the end, as docker does. What the registry has lost meanwhile is begun again. */
  async function pushBlob(name: string, blob: Buffer): Promise<void> {
    let last: Reply | undefined;
    for (let attempt = 0; attempt < mostUploads; attempt++) {
      last = await send({ method: "POST", target: `/v2/${name}/blobs/uploads/` });
      if (last.status !== 202) break;
      last = await send({
        method: "PATCH",
        target: locationOf(last),
        headers: { "Content-Type": "application/octet-stream" },
        body: blob,
      });
      if (last.status !== 202) continue;
      const target = new URL(locationOf(last), "https://localhost");
      target.searchParams.set("digest", digestOf(blob));
      last = await send({ method: "PUT", target: `${target.pathname}${target.search}` });
      if (last.status === 201) return;
      if (last.status === 403) break;
      await delay(pause);
    }
    throw new Error(`uploading to ${name}: ${last?.status} ${last?.body.toString()}`);
  }

  async function pullOne(): Promise<void> {
    const image = anyOf([...ledger.images.values()].filter(({ username }) => username === login.username));
    if (image === undefined) return;
    await pull(image, send, ledger);
  }

  async function deleteOne(): Promise<void> {
    const image = anyOf([...ledger.images.values()].filter(({ username }) => username === login.username));
    if (image === undefined) return;
    ledger.letGo(image);
    const { status } = await send({ method: "DELETE", target: `/v2/${image.repository}/manifests/${image.digest}` });
    // 404: an earlier attempt, whose response was cut off, has deleted it.
    if (status !== 202 && status !== 404) throw new Error(`deleting ${image.repository}: ${status}`);
  }

  /** Asks for what is somebody else's, in every way that serves content. */
  async function peep(): Promise<void> {
    const image = anyOf([...ledger.images.values()].filter(({ username }) => username !== login.username));
    if (image === undefined) return;
    for (const target of targetsOf(image)) {
      const { status } = await send({ method: "GET", target }, image.repository);
      if (status !== 403 && status !== 401) {
        ledger.violate(`${login.username} got ${status} for ${target}, which is ${image.username}'s`);
      }
    }
  }
}

/** Pulls an image by its digests, and compares what comes. */
export async function pull(
  image: KeptImage,
  send: (call: Call) => Promise<Reply>,
  ledger: Ledger,
  /** Whether it may have been deleted meanwhile. */
  isKept: () => boolean = () => ledger.images.has(`${image.repository}@${image.digest}`),
): Promise<void> {
  for (const target of targetsOf(image)) {
    const { status, body } = await send({ method: "GET", target, headers: { Accept: manifestType } });
    if (status === 404 && !isKept()) return;
    if (status !== 200) throw new Error(`lost: ${target} is ${status} ${body.toString().slice(0, 200)}`);
    if (!target.endsWith(digestOf(body))) throw new Error(`${target} is something else`);
  }
  ledger.pulled();
}

function targetsOf({ repository, digest, layer }: KeptImage): readonly string[] {
  return [`/v2/${repository}/manifests/${digest}`, `/v2/${repository}/blobs/${layer}`];
}

function locationOf({ headers }: Reply): string {
  const { location } = headers;
  if (typeof location !== "string") throw new Error("an upload without a Location");
  return location;
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

function anyOf<T>(items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : items[randomInt(items.length)];
}

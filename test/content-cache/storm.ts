import { Agent, request } from "node:http";
import { configOf, digestOf, manifestOf, manifestType } from "../support/registry-content.ts";

/** What a storm is about: an image whose only layer is `content`. */
export interface StormSettings {
  /** Of the gate. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly repository: string;
  readonly tag: string;
  readonly content: string;
  readonly clients: number;
  /** How many of them pull at the same time. */
  readonly atOnce: number;
}

/**
 * Clients pull an image, each on a connection of its own, as containerd does: the tag by HEAD, the manifest by its digest, and
 * what it refers to.
 *
 * @throws {Error} where one of them gets anything but the image.
 */
export async function pullStorm({ clients, atOnce, ...image }: StormSettings): Promise<void> {
  let left = clients;
  const work = async (): Promise<void> => {
    while (left-- > 0) await pull(image);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

type Image = Omit<StormSettings, "clients" | "atOnce">;

async function pull({ url, headers, repository, tag, content }: Image): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const below = `${url}/v2/${repository}`;
  const accepting = { ...headers, accept: manifestType };
  const manifest = manifestOf(content);
  try {
    await get(agent, `${below}/manifests/${tag}`, accepting, "HEAD", "");
    await get(agent, `${below}/manifests/${digestOf(manifest)}`, accepting, "GET", manifest);
    for (const blob of [configOf(content), content]) {
      await get(agent, `${below}/blobs/${digestOf(blob)}`, headers, "GET", blob);
    }
  } finally {
    agent.destroy();
  }
}

function get(
  agent: Agent,
  url: string,
  headers: Readonly<Record<string, string>>,
  method: string,
  expected: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode === 200 && body === expected) resolve();
        else reject(new Error(`${method} ${url}: ${response.statusCode}, ${body.length} of ${expected.length} bytes`));
      });
    });
    sent.once("error", reject);
    sent.end();
  });
}

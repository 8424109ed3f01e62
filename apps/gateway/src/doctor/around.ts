import { networkInterfaces } from "node:os";
import type { Examination } from "./examination.ts";
import { type Exchange, ExchangeError, exchange } from "./exchange.ts";
import { type Content, digestOf, manifestType } from "./image.ts";
import { isLoopbackHost } from "./realm.ts";
import { errorOf } from "./response-faults.ts";

/** An address where the registry might be reached around the gate. */
export interface Neighbour {
  readonly url: URL;
  /** Whether it is known to be the registry that the gate stands before. */
  readonly certain: boolean;
  /** Whether clients can reach it, as far as that is known. */
  readonly exposed: boolean;
}

/** The usual ports of a registry, beside the gate's own. */
const usualPorts = [5000, 5001];
/** In milliseconds. */
const timeLimit = 3_000;

/** The usual ports of a registry at the host of the gate, and no other. */
export function neighboursOf(base: URL): readonly Neighbour[] {
  const own = base.port === "" ? (base.protocol === "https:" ? 443 : 80) : Number(base.port);
  return usualPorts
    .filter((port) => port !== own)
    .flatMap((port) =>
      ["http:", "https:"].map((scheme) => ({
        ...{ url: new URL(`${scheme}//${base.hostname}:${port}`), certain: false, exposed: true },
      })),
    );
}

/**
 * Where else the registry of a configuration may be reached: one on the loopback interface at the other addresses of this
 * machine too, if it listens on all of them.
 */
export function neighboursOfUpstream(upstream: URL): readonly Neighbour[] {
  if (!isLoopbackHost(upstream.hostname)) return [{ url: upstream, certain: true, exposed: false }];
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
    .map(({ address, family }) => {
      const url = new URL(upstream);
      url.hostname = family === "IPv6" ? `[${address}]` : address;
      return { url, certain: true, exposed: true };
    });
}

/**
 * Asks an address without a login for the image that was pushed: it is the same registry if it has it.
 *
 * @param pushed Absent where nothing was pushed.
 */
export async function lookAround(
  report: Examination["report"],
  { url, certain, exposed }: Neighbour,
  pushed: { readonly repository: string; readonly manifest: Content } | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { origin } = url;
  const ping = await ask(new URL("/v2/", url), signal);
  if (ping === undefined || ping.status !== 200 || !isRegistry(ping)) return;
  const image =
    pushed && (await ask(new URL(`/v2/${pushed.repository}/manifests/${pushed.manifest.digest}`, url), signal));
  const same = image?.status === 200 && digestOf(image.body) === pushed?.manifest.digest;
  const proof = same ? ` and has the image that was pushed through the gate` : "";
  if ((certain || same) && exposed) report("around-gate", `the registry responds at ${origin} without a login${proof}`);
  else if (certain || pushed === undefined)
    report("registry-open", `a registry responds at ${origin} without a login${proof}`);
}

/** `undefined` where nobody responds. */
async function ask(url: URL, signal: AbortSignal): Promise<Exchange | undefined> {
  try {
    return await exchange({
      ...{ method: "GET", url, signal, timeLimit },
      headers: { Accept: manifestType },
      // Nothing secret is sent.
      connection: { rejectUnauthorized: false },
    });
  } catch (error) {
    if (error instanceof ExchangeError && error.code !== "ABORTED") return undefined;
    throw error;
  }
}

function isRegistry(exchange: Exchange): boolean {
  return (
    exchange.headers["docker-distribution-api-version"] !== undefined ||
    errorOf(exchange) !== undefined ||
    exchange.body.toString("utf8").trim() === "{}"
  );
}

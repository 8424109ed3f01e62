import type { Socket } from "node:net";
import { type LinkedNode, linkedList } from "@registry-gate/auth-kit";
import { connectionName, kernelQueues } from "./kernel-queues.ts";

/** A request in progress, as far as its client's speed is concerned. */
export interface WatchedRequest {
  readonly socket: Socket;
  /** Which way bytes go, where it is the client that they wait for. */
  waitsForClient(): "download" | "upload" | undefined;
  /** How many bytes were given to the client's socket, or have come from it. */
  moved(direction: "download" | "upload"): number;
  /** The client is too slow. */
  cut(direction: "download" | "upload"): void;
}

/** Cuts clients that send or take so little that they only hold what others need. */
export interface RateWatch {
  /** @returns what {@link RateWatch.remove} wants. */
  add(request: WatchedRequest): Watching;
  remove(watching: Watching): void;
  close(): void;
}

/** A request that is watched. */
export type Watching = LinkedNode<Watched>;

interface Watched {
  readonly request: WatchedRequest;
  measure: Measure | undefined;
}

interface Measure {
  readonly direction: "download" | "upload";
  readonly at: number;
  readonly moved: number;
}

/** Times in milliseconds. */
export interface RateWatchTimes {
  /** Over how long a rate is measured. Default 60 000. */
  readonly window?: number;
  /** How often one looks. Default 30 000. */
  readonly interval?: number;
}

/** A rate is measured to within a tenth: heads and frames count for nothing, and a timer may be late. */
const tolerance = 0.9;
/** As much as a kernel takes for a reader at once, in bytes, where it does not tell how much of it is still there. */
const kernelBuffer = 4_194_304;

/**
 * A request counts only where it waits for its client whenever one looks: one whose client is faster than the registry
 * is never cut, and neither is one that moves, however long it takes.
 *
 * @param minRate In bytes a second; 0 for no limit.
 */
export function rateWatch(minRate: number, { window = 60_000, interval = 30_000 }: RateWatchTimes = {}): RateWatch {
  // Not a Map: V8 lets each table that one has outgrown hold on to the next. With one request after the other, all of them
  // outlived every short collection of garbage, and each request with them.
  const requests = linkedList<Watched>();
  const timer = minRate === 0 ? undefined : setInterval(() => void look(), interval).unref();

  async function look(): Promise<void> {
    const waiting = [...values()].some(({ request }) => request.waitsForClient() === "download");
    const queues = waiting ? await kernelQueues() : undefined;
    const at = performance.now();
    for (const watched of values()) {
      const { request, measure: earlier } = watched;
      const direction = request.waitsForClient();
      if (direction === undefined) {
        watched.measure = undefined;
        continue;
      }
      const queued = direction === "download" ? inKernel(request.socket, queues) : 0;
      const moved = request.moved(direction) - (queued ?? 0);
      const span = queued === undefined ? Math.max(window, (kernelBuffer / minRate) * 1000) : window;
      if (earlier === undefined || earlier.direction !== direction) {
        watched.measure = { direction, at, moved };
      } else if (at - earlier.at >= span * tolerance) {
        const least = minRate * ((at - earlier.at) / 1000) * tolerance;
        if (moved - earlier.moved < least) request.cut(direction);
        else watched.measure = { direction, at, moved };
      }
    }
  }

  function* values(): Generator<Watched> {
    for (let node = requests.first; node !== undefined; ) {
      // Whoever is given the value may remove it.
      const { value, next }: Watching = node;
      yield value;
      node = next;
    }
  }

  return {
    add: (request) => requests.append({ request, measure: undefined }),
    remove: (watching) => requests.remove(watching),
    close: () => clearInterval(timer),
  };
}

/** `undefined` where nobody knows. */
function inKernel(socket: Socket, queues: ReadonlyMap<string, number> | undefined): number | undefined {
  const name = connectionName(socket);
  return name === undefined || queues === undefined ? undefined : (queues.get(name) ?? 0);
}

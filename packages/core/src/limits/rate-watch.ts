import type { Socket } from "node:net";
import { type LinkedNode, linkedList } from "@registry-gate/auth-kit";
import { connectionName, kernelQueues } from "./kernel-queues.ts";

/** A request in progress whose transfer rate is watched. */
export interface WatchedRequest {
  readonly socket: Socket;
  /** The direction of the transfer, where it waits for the client. */
  waitsForClient(): "download" | "upload" | undefined;
  /** How many bytes were written to the client's socket, or received from it. */
  moved(direction: "download" | "upload"): number;
  /** The client is too slow. */
  cut(direction: "download" | "upload"): void;
}

/** Aborts requests of clients that send or read so slowly that they only occupy resources. */
export interface RateWatch {
  /** @returns the handle for {@link RateWatch.remove}. */
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
  /** The period over which a rate is measured. Default 60 000. */
  readonly window?: number;
  /** The time between two measurements. Default 30 000. */
  readonly interval?: number;
}

/** Measurements are accurate to a tenth: heads and frames are not counted, and a timer may be late. */
const tolerance = 0.9;
/** The size of a kernel's send buffer, in bytes, where the system does not report its fill level. */
const kernelBuffer = 4_194_304;

/**
 * Only a request that waits for its client at every measurement counts: one whose client is faster than the registry is
 * never aborted, and neither is one with a sufficient rate, however long it takes.
 *
 * @param minRate In bytes a second; 0 for no limit.
 */
export function rateWatch(minRate: number, { window = 60_000, interval = 30_000 }: RateWatchTimes = {}): RateWatch {
  // Not a Map: in V8 each outgrown table of a Map refers to the next. With one request after the other, all of them
  // outlived every young-generation collection, and each request with them.
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
      // The consumer of the value may remove it.
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

/** `undefined` where it is unknown. */
function inKernel(socket: Socket, queues: ReadonlyMap<string, number> | undefined): number | undefined {
  const name = connectionName(socket);
  return name === undefined || queues === undefined ? undefined : (queues.get(name) ?? 0);
}

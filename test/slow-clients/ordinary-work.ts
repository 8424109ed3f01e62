import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** Something that an ordinary client does again and again. */
export interface Work {
  readonly url: string;
  /** Of each request; by its number, so that each can be somebody else's. */
  readonly headers: (turn: number) => Readonly<Record<string, string>>;
  /** How many bytes the response has. */
  readonly bytes: number;
  /** Whose address it is done from. */
  readonly address: string;
  /** Whether a new connection is opened each time. */
  readonly newConnections: boolean;
}

/** How the work went. */
export interface WorkDone {
  /** Milliseconds of each request, from its beginning to the last byte of the response. */
  readonly latencies: readonly number[];
  /** Of each request that did not get the whole of what it asked for, why. */
  readonly failures: readonly string[];
}

/** Between two requests, in milliseconds. */
const pause = 15;
/** Milliseconds after which a request counts as failed. */
const timeLimit = 30_000;

/** Does the work until told to stop. */
export async function goOn(work: Work, over: AbortSignal): Promise<WorkDone> {
  const agent = new Agent({ keepAlive: !work.newConnections, localAddress: work.address });
  const latencies: number[] = [];
  const failures: string[] = [];
  for (let turn = 0; !over.aborted; turn++) {
    const begun = performance.now();
    try {
      const { status, bytes } = await fetchOnce(work, turn, agent);
      if (status !== 200 || bytes !== work.bytes) failures.push(`${status} with ${bytes} bytes`);
      latencies.push(performance.now() - begun);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
    await delay(pause);
  }
  agent.destroy();
  return { latencies, failures };
}

function fetchOnce({ url, headers }: Work, turn: number, agent: Agent): Promise<{ status: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeLimit);
    const outgoing = request(url, { agent, headers: headers(turn), signal }, (response: IncomingMessage) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, bytes }));
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}

import { Agent, request } from "node:https";
import { setTimeout as delay } from "node:timers/promises";

/** A response, read to its end. */
export interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

export interface Call {
  readonly method: string;
  /** A path, or the URL of a `Location`, of which the path and the query count. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** What ends all calls: the end of the soak, or a fault for which nothing that the soak did to the site is the reason. */
export class GiveUpError extends Error {}

/** Sends requests to the front, again and again where the site is disturbed. */
export interface HttpClient {
  /** Sends a request once. Rejects where the connection is cut. */
  once(call: Call): Promise<Reply>;
  /**
   * Sends a request until there is a response that is not 429 and below 500, as clients with retries do.
   *
   * @throws {GiveUpError} where none comes within the time limit.
   */
  send(call: Call): Promise<Reply>;
  close(): void;
}

/** Longer than any disturbance, in milliseconds. */
const patience = 120_000;
const timeLimit = 60_000;
const pauses = { least: 100, most: 1000 };

/**
 * @param port That of the front, on the loopback interface.
 * @param ca Of its certificates.
 * @param onReply Is told of each response, repeated requests' too.
 */
export function httpClient(port: number, ca: Buffer, onReply: (call: Call, reply: Reply) => void): HttpClient {
  const agent = new Agent({ keepAlive: true, ca, servername: "localhost", maxSockets: 4 });
  const once = async (call: Call): Promise<Reply> => {
    const reply = await exchange(agent, port, call);
    onReply(call, reply);
    return reply;
  };
  return {
    once,
    async send(call) {
      const deadline = performance.now() + patience;
      let last = "";
      for (let pause = pauses.least; performance.now() < deadline; pause = Math.min(pause * 2, pauses.most)) {
        try {
          const reply = await once(call);
          if (reply.status !== 429 && reply.status < 500) return reply;
          last = `${reply.status} ${reply.body.toString()}`;
        } catch (error) {
          last = error instanceof Error ? error.message : String(error);
        }
        await delay(pause);
      }
      throw new GiveUpError(`${call.method} ${call.target}: ${last} for ${patience / 1000} s`);
    },
    close: () => agent.destroy(),
  };
}

function exchange(agent: Agent, port: number, { method, target, headers = {}, body = "" }: Call): Promise<Reply> {
  const { pathname, search } = new URL(target, "https://localhost");
  const length = Buffer.byteLength(body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        host: "127.0.0.1",
        port,
        method,
        path: `${pathname}${search}`,
        headers: {
          Host: `localhost:${port}`,
          ...headers,
          ...((length > 0 || method !== "GET") && { "Content-Length": length }),
        },
        signal: AbortSignal.timeout(timeLimit),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("close", () => {
          if (!response.complete) return reject(new Error("the response was cut off"));
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
        });
      },
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

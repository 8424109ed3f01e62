import { type AgentOptions, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { UserName } from "../case/fuzz-case.ts";
import { contentMark, type Marker, markerOf } from "../case/marker.ts";
import { ordinaryResponse } from "../grammar/response.ts";
import { basicOf } from "./credentials.ts";

/** A client that only wants what is his, all along. */
export interface OrdinaryClient {
  readonly user: UserName;
  /** Reads a manifest of his own. */
  read(): Promise<Outcome>;
  /** Writes one. */
  write(): Promise<Outcome>;
  close(): void;
}

/** What came of a request. */
export interface Outcome {
  readonly method: "GET" | "PUT";
  readonly marker: Marker;
  /** `undefined` where the response was what it should be; otherwise what was wrong with it. */
  readonly fault: string | undefined;
  /** Of what came in the place of the response. */
  readonly received: string;
}

/** Milliseconds for one request: longer than a busy machine takes. */
const timeLimit = 15_000;
let count = 0;

export function ordinaryClient(url: string, user: UserName, address: string): OrdinaryClient {
  const agent = agentOf(url, { keepAlive: true, maxSockets: 4, localAddress: address });

  async function exchange(method: "GET" | "PUT"): Promise<Outcome> {
    const marker = markerOf("v", Math.floor(++count / 100), count);
    const target = new URL(`/v2/${user}/${marker}/manifests/latest`, url);
    try {
      const { status, body } = await send(target, method, {
        agent,
        headers: { authorization: basicOf(user), "content-type": "application/json" },
      });
      const expected = contentMark(user, marker).repeat(ordinaryResponse.body.marks);
      const exact = status === 200 && body === expected;
      return { method, marker, fault: exact ? undefined : `status ${status}`, received: body };
    } catch (error) {
      return { method, marker, fault: error instanceof Error ? error.message : String(error), received: "" };
    }
  }

  return {
    user,
    read: () => exchange("GET"),
    write: () => exchange("PUT"),
    close: () => agent.destroy(),
  };
}

interface Sending {
  readonly agent: HttpAgent | HttpsAgent;
  readonly headers: Readonly<Record<string, string>>;
}

export function agentOf(url: string, options: AgentOptions & { localAddress: string }): HttpAgent | HttpsAgent {
  return url.startsWith("https:") ? new HttpsAgent({ ...options, rejectUnauthorized: false }) : new HttpAgent(options);
}

/** @returns the response; rejects where there is none in time. */
export function send(
  url: URL,
  method: "GET" | "PUT",
  { agent, headers }: Sending,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const begin = url.protocol === "https:" ? requestHttps : requestHttp;
    const signal = AbortSignal.timeout(timeLimit);
    const outgoing = begin(url, { method, agent, headers, signal }, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("latin1") }),
      );
    });
    outgoing.once("error", reject);
    outgoing.end(method === "PUT" ? "{}" : undefined);
  });
}

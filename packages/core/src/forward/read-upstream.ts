import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { type Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** A short answer of the registry, read whole. */
export interface ShortAnswer {
  readonly status: number;
  readonly body: string;
  readonly link: string | undefined;
  /** `Docker-Content-Digest` and `Content-Type`, where the answer has each of them once. */
  readonly digest: string | undefined;
  readonly type: string | undefined;
}

/** The answer is longer than it was allowed to be. */
class AnswerTooLongError extends Error {
  override readonly name = "AnswerTooLongError";
}

/** A question to the registry on the gate's own behalf: nothing of a client is in it. */
export interface Question {
  readonly method: "GET" | "HEAD";
  /** A request target: path and query. */
  readonly target: string;
  readonly accept: string;
  /** The longest answer to read, in bytes. */
  readonly longest: number;
}

export interface Connection {
  readonly url: URL;
  readonly agent: HttpAgent | HttpsAgent;
  /** How long the registry may be silent, in milliseconds. */
  readonly timeout: number;
}

/** @throws when the registry cannot be reached, is silent or answers too long, and when `signal` aborts. */
export function readUpstream(connection: Connection, question: Question, signal: AbortSignal): Promise<ShortAnswer> {
  const { url, agent, timeout } = connection;
  const { method, target, accept, longest } = question;
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const outgoing = send(new URL(target, url), { method, agent, signal, headers: { accept } }, (answer) => {
      readWhole(answer, longest).then(
        (body) => {
          const { link, ...headers } = answer.headersDistinct;
          const digest = only(headers["docker-content-digest"]);
          const type = only(headers["content-type"]);
          resolve({ status: answer.statusCode ?? 502, body, link: link?.[0], digest, type });
        },
        (error: unknown) => {
          outgoing.destroy();
          reject(error);
        },
      );
    });
    outgoing.setTimeout(timeout, () => outgoing.destroy(new Error(`silent for ${timeout} ms`)));
    outgoing.once("error", reject);
    outgoing.end();
  });
}

function only(values: readonly string[] | undefined): string | undefined {
  return values?.length === 1 ? values[0] : undefined;
}

async function readWhole(answer: IncomingMessage, longest: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer) {
    if (!Buffer.isBuffer(piece)) continue;
    length += piece.length;
    if (length > longest) throw new AnswerTooLongError(`more than ${longest} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

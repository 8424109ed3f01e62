import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { type Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** A short answer of the registry, read whole. */
export interface ShortAnswer {
  readonly status: number;
  readonly body: string;
  readonly link: string | undefined;
}

/** The answer is longer than it was allowed to be. */
export class AnswerTooLongError extends Error {
  override readonly name = "AnswerTooLongError";
}

/** Asks the registry something on the gate's own behalf: a GET without anything of the client in it. */
export function readUpstream(
  url: URL,
  agent: HttpAgent | HttpsAgent,
  { timeout, longest, signal }: { readonly timeout: number; readonly longest: number; readonly signal: AbortSignal },
): Promise<ShortAnswer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const outgoing = send(url, { agent, signal, headers: { accept: "application/json" } }, (answer) => {
      readWhole(answer, longest).then(
        (body) => resolve({ status: answer.statusCode ?? 502, body, link: answer.headersDistinct.link?.[0] }),
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

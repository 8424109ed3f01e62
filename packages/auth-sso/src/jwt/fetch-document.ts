import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

export interface FetchOptions {
  /** Certificates to trust in place of the system's, as PEM. */
  readonly ca: string | undefined;
  /** For the whole: connecting, the head and the body, in milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface Document {
  readonly status: number;
  readonly body: string;
}

/** A document could not be had. The message is one line. */
export class FetchError extends Error {
  override readonly name = "FetchError";
}

const LARGEST = 512 * 1024;

/**
 * Fetches a small document over `https://` or `http://`. No redirect is followed: its target was not configured.
 *
 * @throws {FetchError}
 */
export async function fetchDocument(url: URL, { ca, timeout, signal }: FetchOptions): Promise<Document> {
  const deadline = AbortSignal.timeout(timeout);
  try {
    return await get(url, ca, AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (deadline.aborted) throw new FetchError(`${url.host} did not answer within ${timeout} ms`, { cause: error });
    if (error instanceof FetchError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new FetchError(`${url.host} cannot be reached (${code})`, { cause: error });
  }
}

function get(url: URL, ca: string | undefined, signal: AbortSignal): Promise<Document> {
  return new Promise((resolve, reject) => {
    const headers = { accept: "application/json, application/x-pem-file, */*", "user-agent": "registry-gate" };
    const common = { headers, signal, agent: false };
    const request =
      url.protocol === "https:"
        ? httpsRequest(url, ca === undefined ? common : { ...common, ca })
        : httpRequest(url, common);
    request.on("error", reject);
    request.on("response", (response) => {
      const { statusCode: status = 0 } = response;
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > LARGEST) {
          reject(new FetchError(`${url.host} answered with more than ${LARGEST} bytes`));
          request.destroy();
        }
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status, body: Buffer.concat(chunks).toString("utf8") }));
    });
    request.end();
  });
}

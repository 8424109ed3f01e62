import { type ClientRequest, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { type ProxyFor, refuseUpgrade } from "@registry-gate/auth-kit";
import { HttpsProxyAgent } from "https-proxy-agent";

export interface FetchOptions {
  /** Certificates to trust in place of the system's, of the server and of a proxy, as PEM. */
  readonly ca: string | undefined;
  readonly proxyFor: ProxyFor;
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
export async function fetchDocument(url: URL, { ca, proxyFor, timeout, signal }: FetchOptions): Promise<Document> {
  const deadline = AbortSignal.timeout(timeout);
  const proxy = proxyOf(url, proxyFor);
  // Without what its URL may hold of a login.
  const way = proxy === undefined ? "" : ` through the proxy ${proxy.host}`;
  try {
    return await get(url, ca, proxy, AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (deadline.aborted) {
      throw new FetchError(`${url.host} did not respond${way} within ${timeout} ms`, { cause: error });
    }
    if (error instanceof FetchError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new FetchError(`${url.host} cannot be reached${way} (${code})`, { cause: error });
  }
}

function proxyOf(url: URL, proxyFor: ProxyFor): URL | undefined {
  try {
    return proxyFor(url);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FetchError(`${url.host} cannot be reached: ${reason}`, { cause: error });
  }
}

function get(url: URL, ca: string | undefined, proxy: URL | undefined, signal: AbortSignal): Promise<Document> {
  return new Promise((resolve, reject) => {
    const headers = { accept: "application/json, application/x-pem-file, */*", "user-agent": "registry-gate" };
    const trust = ca === undefined ? {} : { ca };
    // The agent is told to give up as well: until the proxy has answered, nothing else holds the connection to it.
    const agent = proxy === undefined ? false : new HttpsProxyAgent(proxy, { ...trust, signal });
    const request = open(url, { headers, signal, agent, ...trust });
    request.on("error", reject);
    refuseUpgrade(request, () => reject(new FetchError(`${url.host} switched protocols`)));
    if (proxy !== undefined) {
      // Otherwise what the proxy says of itself would be taken for the server's response.
      request.on("proxyConnect", ({ statusCode }: { readonly statusCode: number }) => {
        if (statusCode === 200) return;
        reject(new FetchError(`the proxy ${proxy.host} answered ${statusCode} when asked for ${url.host}`));
        request.destroy();
      });
    }
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

function open(url: URL, options: RequestOptions): ClientRequest {
  return url.protocol === "https:" ? httpsRequest(url, options) : httpRequest(url, options);
}

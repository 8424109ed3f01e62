import { type ClientRequest, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { type ProxyFor, refuseUpgrade } from "@registry-gate/auth-kit";
import { HttpsProxyAgent } from "https-proxy-agent";

export interface PostOptions {
  /** Certificates to trust in place of the system's, as PEM. */
  readonly ca: string | undefined;
  readonly proxyFor: ProxyFor;
  /** Until the head of the response is there, in milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface PostResponse {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/**
 * Posts a body on a connection of its own. No redirect is followed, and of the response nothing is read but the head.
 *
 * @throws {Error} of one line without the URL, where there is no response.
 */
export async function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { ca, proxyFor, timeout, signal }: PostOptions,
): Promise<PostResponse> {
  const deadline = AbortSignal.timeout(timeout);
  try {
    const proxy = proxyFor(url);
    return await send(url, headers, body, ca, proxy, AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (deadline.aborted) throw new Error(`no response within ${timeout} ms`, { cause: error });
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    throw new Error(code ?? (error instanceof Error ? error.message : String(error)), { cause: error });
  }
}

function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  ca: string | undefined,
  proxy: URL | undefined,
  signal: AbortSignal,
): Promise<PostResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<PostResponse>();
  const trust = ca === undefined ? {} : { ca };
  const agent = proxy === undefined ? false : new HttpsProxyAgent(proxy, { ...trust, signal });
  const length = `${Buffer.byteLength(body)}`;
  const request = open(url, {
    method: "POST",
    headers: { ...headers, "Content-Length": length },
    signal,
    agent,
    ...trust,
  });
  // It goes on to be listened to: a connection that is given up fails once more.
  request.on("error", reject);
  refuseUpgrade(request, reject);
  // A connection may end without an error and without a response.
  request.once("close", () => reject(new Error("the connection was closed without a response")));
  if (proxy !== undefined) {
    // Otherwise what the proxy says of itself would be taken for the endpoint's response.
    request.on("proxyConnect", ({ statusCode }: { readonly statusCode: number }) => {
      if (statusCode === 200) return;
      reject(new Error(`the proxy ${proxy.host} answered ${statusCode}`));
      request.destroy();
    });
  }
  request.on("response", (response) => {
    const { statusCode: status = 0, headers: received } = response;
    resolve({ status, retryAfter: received["retry-after"] });
    response.on("error", () => {});
    request.destroy();
  });
  request.end(body);
  return promise;
}

function open(url: URL, options: RequestOptions): ClientRequest {
  return url.protocol === "https:" ? httpsRequest(url, options) : httpRequest(url, options);
}

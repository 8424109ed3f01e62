import { type Agent, type ClientRequest, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { type ProxyFor, refuseUpgrade } from "@registry-gate/auth-kit";

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
    const either = AbortSignal.any([signal, deadline]);
    const agent = proxy === undefined ? false : await agentFor(proxy, ca, either);
    return await send(url, headers, body, { ca, proxy, agent, signal: either });
  } catch (error) {
    if (deadline.aborted) throw new Error(`no response within ${timeout} ms`, { cause: error });
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    throw new Error(code ?? (error instanceof Error ? error.message : String(error)), { cause: error });
  }
}

/** Loaded where there is a proxy. */
async function agentFor(proxy: URL, ca: string | undefined, signal: AbortSignal): Promise<Agent> {
  const { HttpsProxyAgent } = await import("https-proxy-agent");
  return new HttpsProxyAgent(proxy, { ...(ca !== undefined && { ca }), signal });
}

interface Way {
  readonly ca: string | undefined;
  readonly proxy: URL | undefined;
  readonly agent: Agent | false;
  readonly signal: AbortSignal;
}

function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { ca, proxy, agent, signal }: Way,
): Promise<PostResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<PostResponse>();
  const length = `${Buffer.byteLength(body)}`;
  const request = open(url, {
    method: "POST",
    headers: { ...headers, "Content-Length": length },
    signal,
    agent,
    ...(ca !== undefined && { ca }),
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

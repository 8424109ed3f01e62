import { connect } from "node:net";
import { certificateFault } from "./certificate-faults.ts";
import { type Connection, ExchangeError } from "./exchange.ts";
import type { Found } from "./finding.ts";
import { probeTls } from "./probe-tls.ts";

/** How long a probe may take, in milliseconds. */
const probeLimit = 5_000;
/** A frame of HTTP/2 that begins a connection: SETTINGS on stream 0 (RFC 9113, section 6.5). */
const settingsFrame = /^\0[\s\S]{2}\x04[\s\S]\0{4}/;

/**
 * Finds out why a request got no response.
 *
 * @throws the error if that is not what it is about.
 */
export async function whyNoResponse(error: unknown, url: URL, connection: Connection): Promise<Found> {
  if (!(error instanceof ExchangeError) || error.code === "ABORTED") throw error;
  const what = `${url.origin}: ${error.message}`;
  if (isUnreachable(error)) return ["unreachable", what];
  if (url.protocol === "http:") {
    const answer = error.received.toString("latin1");
    if (settingsFrame.test(answer)) return ["http2-only", `${url.origin} begins with a frame of HTTP/2`];
    const probe = await probeTls(url, connection, probeLimit);
    if (probe.certificates.length > 0) return ["http-on-tls-port", `${url.origin} speaks TLS, not plain HTTP`];
    return ["no-response", what];
  }
  const probe = await probeTls(url, connection, probeLimit);
  if (probe.certificates.length > 0 && probe.fault !== undefined) {
    return certificateFault(probe.fault, probe.certificates, url);
  }
  if (
    /NO_APPLICATION_PROTOCOL/.test(`${error.code} ${probe.fault ?? ""}`) ||
    (await speaksHttp2Only(url, connection))
  ) {
    return ["http2-only", `${url.origin} speaks HTTP/2 alone`];
  }
  if (error.connected) return [/SSL|TLS/.test(error.code) ? "tls-handshake" : "no-response", what];
  if (await speaksPlainHttp(url)) return ["tls-on-http-port", `${url.origin} speaks plain HTTP, not TLS`];
  return [/SSL|TLS|EPROTO/.test(error.code) ? "tls-handshake" : "no-response", what];
}

function isUnreachable({ code, connected }: ExchangeError): boolean {
  return (
    /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOENT|EACCES)$/.test(code) ||
    (code === "TIMEOUT" && !connected)
  );
}

/** Whether a server agrees on HTTP/2 by ALPN, but not on HTTP/1.1. */
async function speaksHttp2Only(url: URL, connection: Connection): Promise<boolean> {
  const first = await probeTls(url, connection, probeLimit, ["http/1.1"]);
  if (first.protocol !== undefined) return false;
  const second = await probeTls(url, connection, probeLimit, ["h2"]);
  return second.protocol === "h2";
}

/** Whether a server responds to a request without TLS; servers for TLS have a 400 for that. */
async function speaksPlainHttp({ hostname, port, host }: URL): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: plainHost(hostname), port: port === "" ? 443 : Number(port) });
  socket.setTimeout(probeLimit, () => resolve(false));
  socket.once("connect", () => socket.write(`GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
  socket.once("data", (chunk: Buffer) => resolve(/^HTTP\/1\.[01] (?!400)/.test(chunk.toString("latin1"))));
  socket.once("error", () => resolve(false));
  socket.once("close", () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

function plainHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

import type { IncomingMessage } from "node:http";

/**
 * The scheme and host under which the client knows this registry, as docker-registry finds them: `X-Forwarded-Proto`
 * and the first of `X-Forwarded-Host` where they are given, else `http` and `Host`.
 */
export function clientOrigin(request: IncomingMessage): string {
  const scheme = single(request, "x-forwarded-proto") ?? "http";
  const forwarded = single(request, "x-forwarded-host")?.split(",")[0]?.trim();
  const host = forwarded === undefined || forwarded === "" ? request.headers.host : forwarded;
  // Without a host (HTTP/1.0) only a relative reference is left to say.
  return host === undefined ? "" : `${scheme}://${host}`;
}

function single(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  const text = Array.isArray(value) ? value[0] : value;
  return text === "" ? undefined : text;
}

import { readChallenge } from "./challenge.ts";
import { type Examination, StepEnd } from "./examination.ts";
import type { Exchange } from "./exchange.ts";

/** How far clocks may differ, in milliseconds: docker takes a token for expired a minute too early or late. */
const skewLimit = 30_000;

/** Whether the body is a page for browsers. */
export function isPage({ headers, body }: Exchange): boolean {
  return (
    /^text\/html\b/i.test(headers["content-type"] ?? "") || /^\s*<(?:!doctype|html)\b/i.test(body.toString("utf8"))
  );
}

/** The first error of an error response (OCI Distribution Specification 1.1, section "Error Codes"). */
export function errorOf({ body }: Exchange): { readonly code: string; readonly message: string } | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    if (typeof parsed !== "object" || parsed === null || !("errors" in parsed) || !Array.isArray(parsed.errors)) return;
    const [first]: unknown[] = parsed.errors;
    if (typeof first !== "object" || first === null || !("code" in first)) return;
    const message = "message" in first && typeof first.message === "string" ? first.message : "";
    return { code: String(first.code), message };
  } catch {
    return undefined;
  }
}

/** A response in words. */
export function described(exchange: Exchange): string {
  const { method, url, status } = exchange;
  const error = errorOf(exchange);
  const said = isPage(exchange)
    ? " with an HTML page"
    : error === undefined
      ? ""
      : ` ${error.code}${error.message === "" ? "" : `: ${error.message}`}`;
  return `${method} ${url.pathname} gets ${status}${said}`;
}

/** Looks at what is the same of all responses of a gate, and reports what a front has changed. */
export function inspectResponses(report: Examination["report"]): (exchange: Exchange) => void {
  const requestIds = new Set<string>();
  return (exchange) => {
    const { headers, httpVersion, status, url, method } = exchange;
    if (!url.pathname.startsWith("/v2/")) return;
    if (httpVersion === "1.0") report("http-1.0", `${method} ${url.pathname} gets a response of HTTP/1.0`);
    const date = Date.parse(headers.date ?? "");
    const skew = date - exchange.at;
    const age = Number(headers.age ?? 0);
    if (age > 0) report("cached", `${method} ${url.pathname} gets a response with Age: ${age}`);
    else if (Math.abs(skew) >= skewLimit) {
      const seconds = Math.round(Math.abs(skew) / 1000);
      report("clock-skew", `the clock of the server is ${seconds} s ${skew > 0 ? "ahead of" : "behind"} this one's`);
    }
    const { "x-request-id": id } = headers;
    if (typeof id === "string" && requestIds.has(id)) {
      report("cached", `two requests got the same response, with X-Request-Id ${id.slice(0, 64)}`);
    }
    if (typeof id === "string") requestIds.add(id);
    if (!isPage(exchange)) {
      if (headers["docker-distribution-api-version"] === undefined && looksLikeRegistry(exchange)) {
        report("version-header", `${method} ${url.pathname} gets ${status} without Docker-Distribution-Api-Version`);
      }
      return;
    }
    // Docker's own recipe for nginx has a page beside its challenge, which clients do not read.
    if (status === 401 && readChallenge(headers["www-authenticate"]) !== undefined) return;
    if (status === 404 || status === 405) report("html-errors", described(exchange));
    // Other statuses say more to the step that asked; redirects to a storage have a page that nobody reads.
    if (status === 200 || status === 401 || status === 403) report("login-page", described(exchange));
  };
}

function looksLikeRegistry(exchange: Exchange): boolean {
  const { url, status } = exchange;
  return url.pathname === "/v2/" && (status === 200 || errorOf(exchange) !== undefined);
}

/** Whether a response came from the gate, or through it: it gives each an id; a front's own page has none. */
function isBehindFront(exchange: Exchange): boolean {
  return errorOf(exchange) !== undefined || exchange.headers["x-request-id"] !== undefined;
}

/** What a refusal is taken for, by what was asked for. */
export type Asked = "push" | "pull" | "delete";

/** Reports what a response means that is not the expected one, and ends the step. */
export function endBy(report: Examination["report"], exchange: Exchange, asked: Asked): never {
  const seen = described(exchange);
  const { status, headers } = exchange;
  const error = errorOf(exchange);
  const registry = isBehindFront(exchange);
  if (status >= 300 && status < 400) {
    report("login-page", `${seen}, a redirect to ${(headers.location ?? "nowhere").slice(0, 200)}`);
  } else if (status === 401) {
    const insufficient = /insufficient_scope/.test(headers["www-authenticate"] ?? "");
    report(insufficient ? rightFor(asked) : "login-rejected", seen);
  } else if (status === 403 && !isPage(exchange)) report(rightFor(asked), seen);
  else if (status === 411 || status === 501) report("chunked-refused", seen);
  else if (status === 413) report(registry ? "body-limit-behind" : "body-limit-front", seen);
  else if (status === 429) report("throttled", `${seen}; Retry-After: ${headers["retry-after"] ?? "none"}`);
  else if (status === 503 && /read.?only|maintenance/i.test(error?.message ?? "")) report("read-only", seen);
  else if (status === 503 && /authentication service/.test(error?.message ?? "")) report("backend-down", seen);
  else if (status === 503 && registry) report("unavailable", seen);
  else if ((status === 502 || status === 504) && registry) report("registry-down", seen);
  else if (status >= 502 && status <= 504) report("gate-down", seen);
  else if (status === 405 && asked === "push") report("read-only", seen);
  else if (isPage(exchange) && status < 500) report(status === 404 ? "html-errors" : "login-page", seen);
  else report("unexpected-response", seen);
  throw new StepEnd(seen);
}

function rightFor(asked: Asked): "no-pull-right" | "no-push-right" {
  return asked === "pull" ? "no-pull-right" : "no-push-right";
}

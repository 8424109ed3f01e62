import type { IncomingMessage, ServerResponse } from "node:http";
import type { AllowedPages } from "../authenticate/cross-site.ts";
import { forwardedHeaders } from "../forward/forwarded-headers.ts";
import type { CorsOptions } from "../options/options.ts";
import { type AddedHeaders, addHeaders, writeAddedHeaders } from "../respond/added-headers.ts";
import { addVary, protectCookies, removeOwnedHeaders } from "../respond/app-headers.ts";
import { claim } from "../respond/claim.ts";
import { endResponse } from "../respond/end-response.ts";
import { apiVersion } from "../respond/error-response.ts";
import { readableHeaders } from "../respond/response-headers.ts";

/** The pages of other origins that may use the registry from a browser (Fetch Standard, "CORS protocol"). */
export interface CrossOriginPolicy extends AllowedPages {
  /** Sets the CORS headers of the response. */
  mark(request: IncomingMessage, response: ServerResponse): void;
  /** Whether the request is a CORS preflight of an allowed origin. Preflights have no credentials. */
  isPreflight(request: IncomingMessage): boolean;
  /** Responds to a preflight. */
  sendPreflight(request: IncomingMessage, response: ServerResponse): void;
}

/** Every method of any operation. `Allow` in a response names those of its path. */
const methods = "GET, HEAD, POST, PUT, PATCH, DELETE";

/** Allowed in addition to the forwarded headers: the login, and headers that pages commonly send but the gate drops. */
const dropped = ["authorization", "cache-control", "pragma", "x-requested-with"];

const acceptedNames = [
  ...Object.values(forwardedHeaders).flatMap((headers) => headers.map(({ name }) => name)),
  ...dropped,
];

/** How long a browser may cache a preflight, in seconds: short, so that a change of the origins takes effect soon. */
const maxAge = 600;

export function crossOriginPolicy({ origins, credentials = false }: CorsOptions): CrossOriginPolicy {
  const known = new Set(origins);
  const allows = ({ headers }: IncomingMessage): boolean => headers.origin !== undefined && known.has(headers.origin);
  const common: AddedHeaders = credentials ? { "Access-Control-Allow-Credentials": "true" } : {};

  return {
    allows,
    credentials,
    mark(request, response) {
      const { origin } = request.headers;
      const headers =
        origin !== undefined && allows(request)
          ? { "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": exposed, ...common }
          : {};
      // Always, so that no cache serves the response for one origin to another.
      addHeaders(response, { ...headers, Vary: "Origin" });
    },
    isPreflight: (request) =>
      request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined && allows(request),
    sendPreflight(request, response) {
      if (!claim(response)) return;
      response.statusCode = 204;
      removeOwnedHeaders(response);
      response.setHeader("Access-Control-Allow-Methods", methods);
      response.setHeader("Access-Control-Allow-Headers", accepted);
      response.setHeader("Access-Control-Max-Age", maxAge);
      addVary(response, "Access-Control-Request-Method, Access-Control-Request-Headers");
      response.setHeader(...apiVersion);
      writeAddedHeaders(response);
      protectCookies(response);
      endResponse(request, response);
    },
  };
}

const accepted = listOf(acceptedNames);
const exposed = listOf(readableHeaders);

function listOf(names: readonly string[]): string {
  return [...new Set(names)]
    .toSorted()
    .map((name) => name.replace(/\b(?:oci|www|uuid|[a-z])/g, (letters) => letters.toUpperCase()))
    .join(", ");
}

import type { Grammar } from "./grammar.ts";
import { remembered } from "./remembered.ts";

/** The maximum length of a forwarded `User-Agent`, in characters. Docker's own has about 170. */
const longestAgent = 512;
const plainAgent = /^[!-~](?:[ -~]{0,510}[!-~])?$/;
const identifier = /^[A-Za-z0-9._~:+/=@-]{1,128}$/;

/** `User-Agent`, for the registry's log and rules: printable ASCII, `?` for all else, truncated to 512 characters. */
export const userAgent: Grammar = remembered((value) => {
  if (plainAgent.test(value)) return value;
  const written = value
    .slice(0, longestAgent)
    .replace(/[^ -~]/g, "?")
    .trim();
  return written === "" ? undefined : written;
});

/** `X-Request-Id`: an id of proxies and tracers, such as a UUID; at most 128 characters. */
export const requestId: Grammar = (value) => (identifier.test(value) ? value : undefined);

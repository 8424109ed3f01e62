/** The first pause, and the longest one, in milliseconds. */
const shortest = 1000;
const longest = 5 * 60_000;
/** A server may ask for more time than that. */
const longestAsked = 60 * 60_000;

/**
 * How long to wait after a number of failures in a row, in milliseconds: twice as long each time, and a little by chance, so
 * that gates do not come back all at once. `Retry-After` (RFC 9110, section 10.2.3) makes it longer, up to an hour.
 */
export function pauseAfter(failures: number, retryAfter?: string): number {
  const pause = Math.min(shortest * 2 ** Math.min(failures - 1, 20), longest);
  return Math.max(pause * (0.75 + Math.random() / 4), Math.min(askedPause(retryAfter), longestAsked));
}

function askedPause(retryAfter = ""): number {
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const until = Date.parse(retryAfter) - Date.now();
  return Number.isNaN(until) ? 0 : Math.max(until, 0);
}

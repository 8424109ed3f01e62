/** Where the time of one request goes. Instants are on the monotonic clock, everything in milliseconds. */
export interface RequestTimes {
  /** When the request's head was read. */
  readonly begun: number;
  /** How long queries of the gate took; undefined where there was none. */
  queries: number | undefined;
  /** When the request was given to the upstream. */
  sent: number | undefined;
  /** When the last chunk of the body was forwarded, before the response began. */
  lastChunk: number | undefined;
  /** When the head of the registry's response came, or the request failed. */
  responded: number | undefined;
}

export function requestTimes(): RequestTimes {
  return { begun: performance.now(), queries: undefined, sent: undefined, lastChunk: undefined, responded: undefined };
}

/** Adds the time until a query of the registry is over. */
export async function timeQuery<T>(times: RequestTimes, query: Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await query;
  } finally {
    times.queries = (times.queries ?? 0) + performance.now() - start;
  }
}

/** The time for which the registry kept the gate waiting, until `now`; undefined where it was not asked. */
export function upstreamTime(
  { queries, sent, lastChunk = 0, responded }: RequestTimes,
  now: number,
): number | undefined {
  if (sent === undefined) return queries;
  return (queries ?? 0) + Math.max(0, (responded ?? now) - Math.max(sent, lastChunk));
}

/** The time that the gate took until it gave the request to the registry, or until `now` where it did not. */
export function gateTime({ begun, queries = 0, sent }: RequestTimes, now: number): number {
  return Math.max(0, (sent ?? now) - begun - queries);
}

import type { Configuration } from "./configuration.ts";
import type { CacheConfiguration } from "./sections/upstream.ts";

/** What holds where the configuration says nothing, as the sections and the middleware have it. */
const defaults = { maxConnections: 10_000, connectionsPerAddress: 1024, inFlight: 10_000, inFlightPerClient: 256 };
const upstreamConnections = 1024;
const cacheSize = 64 * 2 ** 20;

/**
 * The configuration of one of several processes: each gets its part, rounded up, of what is limited for the gateway as a
 * whole. Whatever is limited by time, by rate or by size stays as it is.
 */
export function workerShare(configuration: Configuration, workers: number): Configuration {
  if (workers === 1) return configuration;
  const part = (limit: number): number => Math.ceil(limit / workers);
  const { listen, limits = {}, upstream } = configuration;
  const { cache } = upstream;
  const {
    connectionsPerAddress = defaults.connectionsPerAddress,
    inFlight = defaults.inFlight,
    inFlightPerClient = defaults.inFlightPerClient,
  } = limits;
  return {
    ...configuration,
    listen: { ...listen, maxConnections: part(listen.maxConnections ?? defaults.maxConnections) },
    limits: {
      ...limits,
      connectionsPerAddress: part(connectionsPerAddress),
      inFlight: part(inFlight),
      inFlightPerClient: part(inFlightPerClient),
    },
    upstream: {
      ...upstream,
      maxConnections: part(upstream.maxConnections ?? upstreamConnections),
      ...(cache && { cache: cacheShare(cache, part(cache.maxSize ?? cacheSize)) }),
    },
  };
}

function cacheShare(cache: CacheConfiguration, maxSize: number): CacheConfiguration {
  const { maxEntry } = cache;
  return { ...cache, maxSize, ...(maxEntry !== undefined && { maxEntry: Math.min(maxEntry, maxSize) }) };
}

import { expect, test } from "vitest";
import { readConfiguration } from "../src/config/parse.ts";
import { workerShare } from "../src/config/worker-share.ts";

function shareOf(text: string, workers: number) {
  const { configuration, faults } = readConfiguration(text, {});
  if (configuration === undefined) throw new Error(JSON.stringify(faults));
  return workerShare(configuration, workers);
}

const least = "listen: { address: '5043' }\n";
const rest = "upstream: { url: http://registry }\nauth: { backends: [{ type: htpasswd, file: htpasswd }] }\n";

test("each worker has its part, rounded up, of what is limited for the gateway", () => {
  const { listen, limits, upstream } = shareOf(
    `listen: { address: '5043', maxConnections: 100 }\nlimits: { inFlight: 9, inFlightPerClient: 1 }\n${rest}`,
    4,
  );
  expect(listen.maxConnections).toBe(25);
  expect(limits).toEqual({ inFlight: 3, inFlightPerClient: 1, connectionsPerAddress: 256 });
  expect(upstream.maxConnections).toBe(256);
});

test("each worker has its part of the cache, and no entry is larger than that", () => {
  const cacheOf = (cache: string): unknown =>
    shareOf(least + rest.replace("registry }", `registry, cache: ${cache} }`), 4).upstream.cache;
  expect(cacheOf("{ maxSize: 4MiB, maxEntry: 2MiB, ttl: 5s }")).toEqual({
    maxSize: 2 ** 20,
    maxEntry: 2 ** 20,
    ttl: 5000,
  });
  expect(cacheOf("{}")).toEqual({ maxSize: 2 ** 24 });
});

test("one worker has what is configured", () => {
  expect(shareOf(least + rest, 1)).not.toHaveProperty("limits");
});

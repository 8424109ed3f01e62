import { afterEach, beforeEach, vi } from "vitest";
import { digestOf } from "../../../../../test/support/registry-content.ts";
import { cacheContent } from "../../../src/forward/cache/content-cache.ts";
import type { UpstreamRequest } from "../../../src/forward/transport.ts";
import { type UpstreamCache, upstreamCache } from "../../../src/observe/channels.ts";
import type { ContentCacheOptions } from "../../../src/options/options.ts";
import {
  ask,
  type Got,
  type HeldTransport,
  heldTransport,
  manifestRequest,
  respond,
  turns,
} from "./cached-transport.ts";

export const content = "a manifest";
export const digest: string = digestOf(content);
export const tag: UpstreamRequest = manifestRequest("team/app", "latest");
export const byDigest: UpstreamRequest = manifestRequest("team/app", digest);

/** A cache before a registry whose responses are up to the test. */
export interface Opened {
  readonly registry: HeldTransport;
  readonly cache: ReturnType<typeof cacheContent>;
}

export function open(options: ContentCacheOptions = { ttl: "1m" }): Opened {
  const registry = heldTransport();
  return { registry, cache: cacheContent(registry, options, "registry:5000") };
}

/** Asks, and has the registry respond to whatever reaches it. */
export async function get({ registry, cache }: Opened, request: UpstreamRequest, sent: string = content): Promise<Got> {
  const before = registry.received.length;
  const got = ask(cache, request);
  await turns();
  for (const received of registry.received.slice(before)) respond(received, sent);
  await turns();
  return got;
}

/** Time goes by as each test says. @returns what the caches of the test in progress have published. */
export function underFakeTime(): () => readonly UpstreamCache[] {
  let events: UpstreamCache[] = [];
  let end: (() => void) | undefined;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    events = [];
    end = upstreamCache.subscribe((message) => events.push(message));
  });
  afterEach(() => {
    end?.();
    vi.useRealTimers();
  });
  return () => events;
}

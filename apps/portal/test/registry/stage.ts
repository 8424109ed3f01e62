import type { AuthBackend, Principal } from "@registry-gate/auth";
import { type AccessRule, registryProxy } from "@registry-gate/core";
import { startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import { onTestFinished } from "vitest";
import { type Reader, readerFor } from "../../src/registry/reader.ts";

const nobody: AuthBackend = { id: "nobody", authenticate: async () => ({ status: "abstained" }) };

function user(username: string): Principal {
  return { kind: "user", identity: { subject: username, username, groups: [], backend: "portal" }, via: "session" };
}

/** A registry with content, and readers by the rules in front of it. */
export async function openStage(access: readonly AccessRule[]) {
  const registry = await startEmbeddedRegistry();
  onTestFinished(() => registry.close());
  const gate = registryProxy({ upstream: { url: registry.url }, backends: [nobody], access });
  onTestFinished(() => gate.close());
  const reader = (username: string): Reader => readerFor(gate, user(username), AbortSignal.timeout(60_000));
  return { registry, gate, reader, requests: () => registry.requests.map(({ method, url }) => `${method} ${url}`) };
}

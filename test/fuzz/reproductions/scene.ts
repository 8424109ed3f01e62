import { type RawRegistry, type RawRequest, startRawRegistry } from "../../support/raw-registry.ts";
import type { UserName } from "../case/fuzz-case.ts";
import { basicOf } from "../client/credentials.ts";
import { type FuzzedGate, startFuzzedGate } from "../gate/fuzzed-gate.ts";

/** A gate in a process of its own before a registry that responds as the test says. */
export interface Scene {
  readonly gate: FuzzedGate;
  readonly registry: RawRegistry;
  /** What the registry does with each request; the ordinary response by default. */
  respond: (request: RawRequest) => void;
  close(): Promise<void>;
}

export async function startScene(): Promise<Scene> {
  const registry = await startRawRegistry((request) => scene.respond(request));
  const gate = await startFuzzedGate(registry.url);
  const scene: Scene = {
    gate,
    registry,
    respond: ordinaryResponse,
    async close() {
      await gate.close();
      await registry.close();
    },
  };
  return scene;
}

/** 200, with the request's target as its body. */
export function ordinaryResponse({ method, target, body, socket }: RawRequest): void {
  void body.then(() => socket.write(responseText(method, target)));
}

export function responseText(method: string, content: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n${method === "HEAD" ? "" : content}`;
}

/** @param more Further lines of the head. */
export function requestText(user: UserName, method: string, target: string, ...more: readonly string[]): string {
  return [`${method} ${target} HTTP/1.1`, "Host: a", `Authorization: ${basicOf(user)}`, ...more, "", ""].join("\r\n");
}

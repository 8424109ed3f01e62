import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import {
  createAuthenticator,
  type GateOptions,
  type RegistryProxy,
  type RegistryProxyOptions,
  type RequestRecord,
  registryProxy,
} from "@registry-gate/core";
import express from "express";
import type { GatePortal } from "./gate-portal.ts";

/** A registry with pages beside it, behind one login. */
export interface PortalEntry {
  readonly handle: RequestListener;
  close(): Promise<void>;
}

/** What a gate adds to the options that its configuration yields. */
export interface OwnGateOptions extends Pick<GateOptions, "readOnly" | "contentChanges" | "writes" | "tracer" | "log"> {
  onFinished(record: RequestRecord): void;
}

/**
 * Puts the pages of a portal beside the registry: first the session, then the registry, then the pages, which alone read bodies.
 *
 * @param path Below which the pages are.
 */
export async function openPortalEntry(
  portal: GatePortal,
  path: string,
  options: RegistryProxyOptions,
  own: OwnGateOptions,
): Promise<PortalEntry> {
  const { backends, realm, challenge, loginCache, throttle, session: _, ...gate } = options;
  const authenticator = createAuthenticator({
    ...{ backends, session: portal.session },
    ...(realm !== undefined && { realm }),
    ...(challenge !== undefined && { challenge }),
    ...(loginCache !== undefined && { loginCache }),
    ...(throttle !== undefined && { throttle }),
    ...(gate.trustedProxies !== undefined && { trustedProxies: gate.trustedProxies }),
    ...(own.log !== undefined && { log: own.log }),
  });
  const registry = registryProxy({
    ...{ ...gate, ...own, authenticator },
    onFinished(record) {
      own.onFinished(record);
      portal.finished(record);
    },
  });
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.enable("case sensitive routing");
  app.use(portal.sessions);
  app.use((request, response, next) => registry(request, response, next));
  app.use(path, await portal.pages({ authenticator, registry }));
  app.use((request: IncomingMessage, response: ServerResponse) => registry(request, response));
  return {
    handle: (request, response) => whereItBelongs(request, response, app, registry),
    async close() {
      await registry.close();
      authenticator.close();
    },
  };
}

/** Express would respond to a target that it cannot parse with a page of its own. */
function whereItBelongs(
  request: IncomingMessage,
  response: ServerResponse,
  app: RequestListener,
  registry: RegistryProxy,
): void {
  if (request.url?.startsWith("/") === true) app(request, response);
  else registry(request, response);
}

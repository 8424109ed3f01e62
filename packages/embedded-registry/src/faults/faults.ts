import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Sees a request before the registry does. True: the hook answers, or leaves the client without an answer. False: the next
 * hook is asked, and in the end the registry answers.
 */
export type RequestHook = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

/** How the registry is to misbehave. */
export interface Faults {
  /** One hook, or several that are asked in order. */
  readonly onRequest?: RequestHook | readonly RequestHook[];
  /** How long to wait between the last byte of a blob and its answer, in milliseconds. Default 0. */
  readonly commitDelay?: number;
  /**
   * How long a kept-alive connection may be idle before it is closed without a warning, in milliseconds. Default: it is
   * never closed.
   */
  readonly closeIdleAfter?: number;
}

export function hooksOf(faults: Faults): readonly RequestHook[] {
  if (faults.onRequest === undefined) return [];
  return typeof faults.onRequest === "function" ? [faults.onRequest] : faults.onRequest;
}

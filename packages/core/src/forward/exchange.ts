import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";

/** The head of the registry's answer. */
export interface UpstreamAnswer {
  readonly statusCode?: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** One request on its way through. Exactly one of `answered` and `failed` is called, unless the client goes first. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The target and headers for the registry; nothing else of the request's head is sent. */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders & IncomingMessage["headers"];
  readonly hasBody: boolean;
  /** Must write the head of the response; the body follows by itself. */
  answered(upstreamAnswer: UpstreamAnswer): void;
  /**
   * No answer came: `silent` where the registry was connected but said nothing for too long, `stalled` where it was the
   * client that sent nothing more of the body.
   */
  failed(kind: "unreachable" | "silent" | "stalled", error: Error): void;
  /** Counts of body bytes, kept up to date. */
  readonly bytes: { received: number; sent: number };
}

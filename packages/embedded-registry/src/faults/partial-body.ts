import type { ServerResponse } from "node:http";

/** An answer of which only the beginning is sent. Sizes in bytes. */
export interface PartialBody {
  /** What `Content-Length` promises. Default 1 MiB. */
  readonly length?: number;
  /** What is sent, as zeros. Default 1 KiB. */
  readonly sent?: number;
}

/** Sends the beginning; resolves when it has gone to the operating system. */
export async function sendBeginning(response: ServerResponse, body: PartialBody): Promise<void> {
  const { length = 1024 * 1024, sent = 1024 } = body;
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": length });
  await new Promise<void>((resolve) => {
    response.write(Buffer.alloc(sent), () => resolve());
  });
}

import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** An upstream that answers as the test says, for what a real registry does not do on demand. */
export interface ScriptedUpstream {
  readonly url: string;
  close(): Promise<void>;
}

export async function startUpstream(answer: RequestListener): Promise<ScriptedUpstream> {
  const server = createServer(answer);
  const url = `http://127.0.0.1:${await listen(server)}`;
  return {
    url,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return portOf(server.address());
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new TypeError("not listening on a port");
  return address.port;
}

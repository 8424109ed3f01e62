import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { listen } from "./listen.ts";

/** An upstream that responds as the test says, for what a real registry does not do on demand. */
export interface ScriptedUpstream {
  readonly url: string;
  close(): Promise<void>;
}

export async function startUpstream(respond: RequestListener): Promise<ScriptedUpstream> {
  const server = createServer(respond);
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

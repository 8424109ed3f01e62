import { once } from "node:events";
import type { Server } from "node:net";

/** Makes a server listen on a free port of the loopback interface, and tells which. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not listening on a port");
  return address.port;
}

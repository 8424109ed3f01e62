import { once } from "node:events";
import type { Server } from "node:http";

/** Listens, and resolves to the port. Rejects with the system's error where that fails. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

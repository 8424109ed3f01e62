import { freePort } from "./free-port.ts";
import type { PolledServer } from "./polled-server.ts";

const attempts = 5;

/**
 * Starts a server that must be told its port, on a free one of the loopback interface. Somebody else may take the port
 * first: then another is tried.
 *
 * @param launch Gives the server, or why it ended.
 */
export async function startOnFreePort(
  launch: (port: number) => Promise<PolledServer | string>,
): Promise<{ readonly port: number; readonly server: PolledServer }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const server = await launch(port);
    if (typeof server !== "string") return { port, server };
    if (attempt === attempts) throw new Error(server);
  }
}

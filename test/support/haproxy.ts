import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PolledServer, tryPolledServer } from "./polled-server.ts";
import { startOnFreePort } from "./start-on-free-port.ts";

/** HAProxy in one process, on a free port of the loopback interface. */
export interface Haproxy extends PolledServer {
  readonly url: string;
}

/** Starts HAProxy, which says on its output what becomes of its servers. @param proxies `frontend` and `backend` sections. */
export async function startHaproxy(proxies: (port: number) => readonly string[]): Promise<Haproxy> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-haproxy-"));
  const discard = (): Promise<void> => rm(directory, { recursive: true, force: true });
  const configuration = (port: number): readonly string[] => [
    ...["global", "log stdout format raw local0 info"],
    ...["defaults", "log global", "mode http", "timeout connect 5s", "timeout client 60s", "timeout server 60s"],
    ...proxies(port),
    "",
  ];
  try {
    const { port, server } = await startOnFreePort(async (port) => {
      await writeFile(join(directory, "haproxy.cfg"), configuration(port).join("\n"));
      const parameters = ["-db", "-f", join(directory, "haproxy.cfg")];
      return tryPolledServer({ command: "haproxy", parameters, directory, host: "127.0.0.1", port });
    });
    return { ...server, url: `http://127.0.0.1:${port}`, close: () => server.close().then(discard) };
  } catch (error) {
    await discard();
    throw error;
  }
}

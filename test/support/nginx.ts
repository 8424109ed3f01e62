import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PolledServer, tryPolledServer } from "./polled-server.ts";
import { startOnFreePort } from "./start-on-free-port.ts";

/** nginx in one single process, on a free port of the loopback interface. */
export interface Nginx extends PolledServer {
  readonly port: number;
  /** Where its configuration, its logs and whatever it buffers are; removed when it is closed. */
  readonly directory: string;
}

export interface NginxSettings {
  /** What stands in the block `http`; one of its servers must listen on `127.0.0.1` and the port given. */
  readonly http: (port: number) => string;
  /** Further files beside the configuration, which can name them without a directory. */
  readonly files?: Readonly<Record<string, string>>;
}

export async function startNginx(settings: NginxSettings): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-nginx-"));
  const discard = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    for (const [name, content] of Object.entries(settings.files ?? {})) await writeFile(join(directory, name), content);
    const { port, server } = await startOnFreePort(async (port) => {
      await writeFile(join(directory, "nginx.conf"), configuration(directory, settings.http(port)));
      return tryPolledServer({
        command: "nginx",
        parameters: ["-p", directory, "-c", join(directory, "nginx.conf"), "-e", "stderr"],
        directory,
        host: "127.0.0.1",
        port,
      });
    });
    return { ...server, port, directory, close: () => server.close().then(discard) };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** All that nginx writes stays in the directory. */
function configuration(directory: string, http: string): string {
  return [
    "daemon off;",
    "master_process off;",
    `pid ${directory}/nginx.pid;`,
    "error_log stderr;",
    "events { worker_connections 8192; }",
    "http {",
    `access_log ${directory}/access.log;`,
    ...["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${directory}/${kind};`),
    http,
    "}",
    "",
  ].join("\n");
}

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type PolledServer, tryPolledServer } from "./polled-server.ts";

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

const attempts = 5;

export async function startNginx(settings: NginxSettings): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-nginx-"));
  const discard = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    for (const [name, content] of Object.entries(settings.files ?? {})) await writeFile(join(directory, name), content);
    let started: PolledServer | string = "";
    for (let attempt = 0; attempt < attempts; attempt++) {
      const port = await freePort();
      await writeFile(join(directory, "nginx.conf"), configuration(directory, settings.http(port)));
      started = await tryPolledServer({
        command: "nginx",
        parameters: ["-p", directory, "-c", join(directory, "nginx.conf"), "-e", "stderr"],
        directory,
        host: "127.0.0.1",
        port,
        whenMissing: "install the Debian package nginx",
      });
      if (typeof started === "string") continue;
      const { close } = started;
      return { ...started, port, directory, close: () => close().then(discard) };
    }
    throw new Error(`${started}`);
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
    "events { worker_connections 1024; }",
    "http {",
    `access_log ${directory}/access.log;`,
    ...["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${directory}/${kind};`),
    http,
    "}",
    "",
  ].join("\n");
}

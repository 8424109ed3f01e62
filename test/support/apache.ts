import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { tryPolledServer } from "./polled-server.ts";
import { startOnFreePort } from "./start-on-free-port.ts";

/** Apache's httpd on a free port of the loopback interface. */
export interface Apache {
  readonly port: number;
  /** By the name `localhost`. */
  readonly url: string;
  /** What it has logged. */
  log(): Promise<string>;
  close(): Promise<void>;
}

export interface ApacheSettings {
  /** Names of modules such as `proxy_http`, besides those that every server needs. */
  readonly modules: readonly string[];
  /** The lines of its configuration. */
  readonly configuration: (port: number) => Promise<readonly string[]>;
  /** What it serves of itself: path to content. */
  readonly files?: Readonly<Record<string, string>>;
}

const always = ["mpm_event", "authn_core", "authz_core", "authz_user", "headers", "proxy", "proxy_http"];

/** Starts Debian's apache2 with a configuration of its own: nothing of `/etc/apache2` is read. */
export async function startApache(settings: ApacheSettings): Promise<Apache> {
  const { modules, configuration, files = {} } = settings;
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-apache-"));
  await chmod(directory, 0o755);
  await mkdir(join(directory, "htdocs"));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, "htdocs", path)), { recursive: true });
    await writeFile(join(directory, "htdocs", path), content);
  }
  const log = (): Promise<string> => readFile(join(directory, "error.log"), "utf8").catch(() => "");
  const file = join(directory, "httpd.conf");
  const launch = async (port: number) => {
    const lines = [
      `ServerRoot ${directory}`,
      `PidFile ${directory}/httpd.pid`,
      `DefaultRuntimeDir ${directory}`,
      `ErrorLog ${directory}/error.log`,
      `Listen 127.0.0.1:${port}`,
      "ServerName localhost",
      // Only root can become somebody else, and must.
      "User nobody",
      "Group nogroup",
      ...[...always, ...modules].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
      `DocumentRoot ${directory}/htdocs`,
      ...(await configuration(port)),
      "",
    ];
    await writeFile(file, lines.join("\n"));
    return tryPolledServer({
      command: "apache2",
      parameters: ["-d", directory, "-f", file, "-D", "FOREGROUND"],
      directory,
      host: "127.0.0.1",
      port,
    });
  };
  try {
    const { port, server } = await startOnFreePort(launch);
    return {
      port,
      url: `http://localhost:${port}`,
      log,
      async close() {
        await server.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    const said = await log();
    await rm(directory, { recursive: true, force: true });
    throw new Error([error instanceof Error ? error.message : String(error), said].join("\n"));
  }
}

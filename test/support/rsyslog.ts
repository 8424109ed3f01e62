import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PolledServer, tryPolledServer } from "./polled-server.ts";
import { startOnFreePort } from "./start-on-free-port.ts";

/** A real syslog server that takes TCP, on a free port of the loopback interface. */
export interface Rsyslog {
  readonly port: number;
  /** What it has received, a line each: facility, severity, app name, message id and message, between spaces. */
  received(): Promise<readonly string[]>;
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Ends it for good. */
  close(): Promise<void>;
}

export async function startRsyslog(): Promise<Rsyslog> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-rsyslog-"));
  const log = join(directory, "received");
  const launch = async (port: number): Promise<PolledServer | string> => {
    const template = "%syslogfacility-text% %syslogseverity-text% %app-name% %msgid% %msg%\\n";
    const configuration = [
      `global(workDirectory="${directory}" maxMessageSize="256k")`,
      'module(load="imtcp")',
      `template(name="plain" type="string" string="${template}")`,
      `input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="all")`,
      `ruleset(name="all") { action(type="omfile" file="${log}" template="plain") }`,
    ];
    await writeFile(join(directory, "rsyslog.conf"), `${configuration.join("\n")}\n`);
    const files = ["-f", join(directory, "rsyslog.conf"), "-i", join(directory, "pid")];
    return tryPolledServer({ command: "rsyslogd", parameters: ["-n", ...files], directory, host: "127.0.0.1", port });
  };
  const { port, server } = await startOnFreePort(launch);
  let current = server;
  return {
    port,
    async received() {
      const text = await readFile(log, "utf8").catch(() => "");
      return text.split("\n").filter((line) => line !== "");
    },
    stop: () => current.close(),
    async start() {
      const again = await launch(port);
      if (typeof again === "string") throw new Error(again);
      current = again;
    },
    async close() {
      await current.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

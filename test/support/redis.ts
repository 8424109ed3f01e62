import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CertificateFiles } from "./certificate.ts";
import { type PolledServer, tryPolledServer } from "./polled-server.ts";
import { startOnFreePort } from "./start-on-free-port.ts";

/** A Redis without a file, on a free port of the loopback interface. */
export interface Redis {
  readonly port: number;
  /** `redis://` or `rediss://`, address and port. */
  readonly url: string;
  kill(signal: NodeJS.Signals): void;
  /** Ends it; what it held is gone. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Ends it for good. */
  close(): Promise<void>;
}

/**
 * @param parameters Further ones for `redis-server`, such as `--requirepass`.
 * @param tls For TLS alone.
 */
export async function startRedis(parameters: readonly string[] = [], tls?: CertificateFiles): Promise<Redis> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-redis-"));
  const launch = (port: number): Promise<PolledServer | string> =>
    tryPolledServer({
      command: "redis-server",
      parameters: [
        ...(tls === undefined ? ["--port", String(port)] : ["--port", "0", ...tlsParameters(tls, port)]),
        ...["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        ...parameters,
      ],
      directory,
      host: "127.0.0.1",
      port,
    });
  const { port, server } = await startOnFreePort(launch);
  let current = server;
  return {
    port,
    url: `${tls === undefined ? "redis" : "rediss"}://127.0.0.1:${port}`,
    kill: (signal) => current.kill(signal),
    stop: () => current.close(),
    async start() {
      const again = await launch(port);
      if (typeof again === "string") throw new Error(again);
      current = again;
    },
    async close() {
      // One that was stopped by a signal would not hear that it should end.
      current.kill("SIGCONT");
      await current.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function tlsParameters({ certificate, key, authority }: CertificateFiles, port: number): readonly string[] {
  return [
    ...["--tls-port", String(port), "--tls-auth-clients", "no"],
    ...["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", authority],
  ];
}

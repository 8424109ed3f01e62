import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildGoProgram } from "../programs/build-go-program.ts";
import { findProgram } from "../programs/find-program.ts";
import { lackOf } from "../programs/lack.ts";
import { type ProgramName, programs } from "../programs/programs.ts";
import { startDockerRegistryIn } from "../support/docker-registry.ts";
import { startLoggedServer } from "../support/logged-server.ts";
import { tryPolledServer } from "../support/polled-server.ts";
import { startOnFreePort } from "../support/start-on-free-port.ts";
import type { Contender } from "./contender.ts";
import { giveOwnCore } from "./cores.ts";
import { loginOf, type ProxySettings, passwordFile } from "./proxies.ts";
import type { Scale } from "./scale.ts";

/** Proxies and registries that Go builds. */
export type Peer = "oauth2-proxy" | "distribution";

/**
 * Builds a peer where it has not been built before: that takes minutes, so a quick run does not.
 *
 * @returns `undefined` where it can be started, or else why not, as a note for the findings.
 */
export async function peerLack(peer: Peer, { quick, progress }: Scale): Promise<string | undefined> {
  if (findProgram(peer) !== undefined) return undefined;
  const lack = lackOf(peer);
  if (lack === "needs Go") return `${peer} is left out: Go ${leastGo(peer)} or newer is missing`;
  if (quick) return `${peer} is left out: a run without --quick builds it`;
  progress(`building ${peer} with Go`);
  try {
    await buildGoProgram(peer);
    return undefined;
  } catch (error) {
    return `${peer} is left out: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
  }
}

function leastGo(name: ProgramName): string {
  const program = programs[name];
  return "go" in program ? program.go.leastGo : "";
}

/** oauth2-proxy with a password file of bcrypt at cost 5, which is what `htpasswd -B` writes. */
export async function startOauth2Proxy({ registry, tls }: ProxySettings): Promise<Contender> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-oauth2-proxy-"));
  const discard = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await writeFile(join(directory, "htpasswd"), await passwordFile("bcrypt 5"));
    const { port, server } = await startOnFreePort((port) =>
      tryPolledServer({
        command: "oauth2-proxy",
        parameters: [
          tls === undefined ? `--http-address=127.0.0.1:${port}` : `--https-address=127.0.0.1:${port}`,
          ...(tls === undefined
            ? []
            : ["--http-address=-", `--tls-cert-file=${tls.certificate}`, `--tls-key-file=${tls.key}`]),
          `--upstream=${registry}`,
          "--htpasswd-file=htpasswd",
          // Nobody ever goes to the provider, but it wants to know one.
          ...["--provider=github", "--client-id=none", "--client-secret=none", "--email-domain=*"],
          `--cookie-secret=${"0".repeat(32)}`,
        ],
        directory,
        host: "127.0.0.1",
        port,
        outputFile: join(directory, "log"),
      }),
    );
    await giveOwnCore(server.pid);
    return {
      name: "oauth2-proxy, bcrypt 5",
      url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
      pid: server.pid,
      headers: loginOf(),
      close: () => server.close().then(discard),
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

/**
 * The distribution's registry of today.
 *
 * @param htpasswd Whom it lets in itself, by bcrypt at cost 5. Default: everybody.
 */
export async function startDistribution(htpasswd = false): Promise<Contender> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-distribution-"));
  const discard = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    let pid = 0;
    const { address, close } = await startDockerRegistryIn(directory, {}, undefined, {
      ...(htpasswd && { htpasswd: await passwordFile("bcrypt 5") }),
      async start(server) {
        // Lines of its log are not kept.
        const running = await startLoggedServer({ command: "distribution", onLine: () => {}, ...server });
        pid = running.pid;
        return running;
      },
    });
    return {
      name: htpasswd ? "distribution's own htpasswd, bcrypt 5" : "distribution, directly",
      url: `http://${address}`,
      pid,
      headers: htpasswd ? loginOf() : {},
      close: () => close().then(discard),
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

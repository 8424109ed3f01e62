import { readFile } from "node:fs/promises";
import { makeCertificate } from "../support/certificate.ts";
import { closingStack } from "../support/closing-stack.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type Dockerd, startDockerd } from "../support/dockerd.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { startTunnel } from "../support/tunnel.ts";

/** What a gate is given besides its address, its certificate and its registry. */
export interface StageSettings {
  readonly auth: object;
  readonly access?: readonly object[];
  readonly files?: Readonly<Record<string, string>>;
  /** Starts the registry behind the gate. Default: docker-registry. */
  readonly startRegistry?: () => Promise<DockerRegistry>;
}

/** A real registry behind a gate with TLS, and docker daemons that take the gate for a host in the network. */
export interface Stage {
  readonly registry: DockerRegistry;
  readonly gate: RunningGate;
  /** The PEM file of the authority that signed the gate's certificate. */
  readonly authority: string;
  /** `host:port` of the gate, for docker. It is not on the loopback interface, so docker checks its certificate. */
  readonly host: string;
  /** In it, programs come to the gate by that name, and trust the gate's authority alone. */
  readonly environment: Readonly<Record<string, string>>;
  /** The certificate of that name and its key, in files of the gate's directory. */
  readonly tls: { readonly certificate: string; readonly key: string };
  /** Leads all who ask for the host to another server from now on. */
  redirect(server: URL): void;
  /** Starts a daemon that trusts the gate's authority, or, where told so, only the system's. Closed with the stage. */
  newDaemon(trust?: "gate" | "system"): Promise<Dockerd>;
  /** Puts other rules or backends in place, and waits until they are in force. */
  reconfigure(settings: Pick<StageSettings, "auth" | "access">): Promise<void>;
  close(): Promise<void>;
}

/** Of a block that belongs to no network (RFC 5737): a request without the tunnel fails. */
const address = "192.0.2.1";

export async function setStage({
  auth,
  access,
  files = {},
  startRegistry = startDockerRegistry,
}: StageSettings): Promise<Stage> {
  const host = `${address}:5043`;
  const { keep, close } = closingStack();
  try {
    const registry = await keep(startRegistry());
    const certificate = await makeCertificate(undefined, [address]);
    const tls = { certificate: "server.crt", key: "server.key" };
    const configuration = (rules: object): object => ({
      listen: { address: "127.0.0.1:0", tls },
      upstream: { url: registry.url },
      ...rules,
    });
    const gate = await keep(
      startGate({
        configuration: configuration({ auth, access }),
        files: {
          ...files,
          [tls.certificate]: await readFile(certificate.certificate, "utf8"),
          [tls.key]: await readFile(certificate.key, "utf8"),
        },
      }),
    );
    const tunnel = await keep(startTunnel(host, new URL(gate.url)));
    const way = { HTTPS_PROXY: tunnel.url, NO_PROXY: "" };
    const environment = { ...way, SSL_CERT_FILE: certificate.authority };
    return {
      registry,
      gate,
      authority: certificate.authority,
      host,
      environment,
      tls,
      redirect: tunnel.redirect,
      newDaemon: (trust = "gate") => keep(startDockerd({ environment: trust === "gate" ? environment : way })),
      async reconfigure(rules) {
        const reloads = (): number => gate.lines().filter(({ event }) => event === "reloaded").length;
        const before = reloads();
        await gate.configure(configuration(rules));
        await gate.logged(({ event }) => event === "reloaded" && reloads() > before);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

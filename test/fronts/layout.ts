import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import type { LogLine } from "../support/logged-server.ts";
import { type Relay, startRelay } from "../support/relay.ts";

/** Where the front's connections to the gate come from. Everybody else comes from 127.0.0.1. */
export const frontAddress = "127.0.0.2";

/** Who may do what: what everybody may, what a group, and what a single user. */
const access = [
  { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
  { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["push"] },
  { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push"] },
  { subjects: ["user:admin"], repositories: ["**"], actions: ["*"] },
];

/**
 * A gate before a real registry, with a recording relay on either side. A front connects to the first relay, which
 * connects to the gate as {@link frontAddress}; the registry hears from the gate through the second.
 */
export interface Layout {
  readonly gate: RunningGate;
  /** Where a front connects to. */
  readonly frontPort: number;
  /** Everything that has come to the gate from the front. */
  fromFront(): string;
  /** Everything that has come to the registry. */
  toRegistry(): string;
  close(): Promise<void>;
}

/** @param auth The section `auth` of the gate's configuration. */
export async function startLayout(auth: object, files: Readonly<Record<string, string>> = {}): Promise<Layout> {
  const parts: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const part of parts.toReversed()) await part.close();
  };
  const started = <T extends { close(): Promise<void> }>(part: T): T => {
    parts.push(part);
    return part;
  };
  try {
    const registry: DockerRegistry = started(await startDockerRegistry());
    const behind: Relay = started(await startRelay(Number(new URL(registry.url).port)));
    const upstream = { url: `http://127.0.0.1:${behind.port}` };
    const listen = { address: "127.0.0.1:0", trustedProxies: [frontAddress] };
    const gate = started(await startGate({ configuration: { listen, upstream, auth, access }, files }));
    const before = started(await startRelay(Number(new URL(gate.url).port), "127.0.0.1", frontAddress));
    return {
      gate,
      frontPort: before.port,
      fromFront: () => before.sent().toString("latin1"),
      toRegistry: () => behind.sent().toString("latin1"),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the gate has logged of the request for a repository: who it was taken for, and what came of it. */
export function recordOf(gate: RunningGate, repository: string): Promise<LogLine> {
  return gate.logged((line) => line.event === "request" && line.repository === repository);
}

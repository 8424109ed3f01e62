import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { connectRaw, exchangeRaw, type RawResponse } from "../support/raw-client.ts";
import { type RecordingRelay, startRecordingRelay } from "../support/recording-relay.ts";

/** A real gate before a real registry, with everything that is said to the registry on record. */
export interface Scene {
  readonly gate: RunningGate;
  readonly relay: RecordingRelay;
  /** Sends some bytes on a connection of their own, and tells the first responses to them and what the registry was sent. */
  say(bytes: string, responses?: number): Promise<Outcome>;
  close(): Promise<void>;
}

export interface Outcome {
  readonly responses: readonly RawResponse[];
  /** What came to the registry, byte for byte. */
  readonly upstream: string;
}

export const host = "Host: registry.example.com";
export const authorization = `Authorization: ${basic("alice", "alice-password").authorization}`;

/** Joins lines by CRLF; an empty one at the end of `lines` ends the head. */
export function lines(...all: readonly string[]): string {
  return all.join("\r\n");
}

function lowerCased(header: string): string {
  return header.toLowerCase();
}

/** What the registry is sent for a request whose line is `line`, beside `more`. */
export function sent(line: string, ...more: readonly string[]): string {
  const address = ["x-real-ip: 127.0.0.1", "x-forwarded-for: 127.0.0.1", "x-forwarded-proto: http"];
  const own = (header: string): boolean => header.startsWith("Transfer-Encoding");
  const passed = more.filter((header) => !own(header));
  return lines(line, "host: registry.example.com", ...passed, ...address, ...more.filter(own).map(lowerCased), "", "");
}

/** @param more Beside the keys that every gate needs; `listen` is merged. */
export async function startScene(more: { listen?: object; upstream?: object } = {}): Promise<Scene> {
  const registry: DockerRegistry = await startDockerRegistry();
  const relay = await startRecordingRelay(new URL(registry.url).host);
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0", ...more.listen },
      upstream: { url: relay.url, ...more.upstream },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [
        { subjects: ["authenticated"], repositories: ["**", "!secret/**"], actions: ["*"] },
        { subjects: ["user:x-forwarded-user"], repositories: ["secret/**"], actions: ["*"] },
      ],
    },
    files: { htpasswd: await passwordFile({ alice: "alice-password" }) },
  });
  const ping = lines("GET /v2/ HTTP/1.1", host, authorization, "", "");

  /** What was said to the registry up to a ping that is sent last, on a connection of its own or on that of other reads. */
  async function recorded(): Promise<string> {
    await exchangeRaw(gate.url, ping);
    const all = relay.take();
    const pinged = sent("GET /v2/ HTTP/1.1");
    const last = all.findIndex((said) => said.endsWith(pinged));
    if (last < 0) throw new Error(`the ping did not come last: ${JSON.stringify(all)}`);
    return all.map((said, index) => (index === last ? said.slice(0, -pinged.length) : said)).join("");
  }

  return {
    gate,
    relay,
    async say(bytes, count = 1) {
      const client = await connectRaw(gate.url);
      client.write(bytes);
      const responses = await client.responses(count);
      client.socket.destroy();
      return { responses, upstream: await recorded() };
    },
    async close() {
      await gate.close();
      await relay.close();
      await registry.close();
    },
  };
}

import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import type { AuthBackend } from "@registry-gate/auth";
import { type RegistryProxyOptions, type RequestRecord, registryProxy } from "@registry-gate/core";
import { onTestFinished } from "vitest";
import { basic } from "../support/basic.ts";
import { listen } from "../support/listen.ts";
import { startUpstream } from "../support/upstream.ts";

/** Loopback addresses that stand for different clients. */
export const attacker = "127.0.0.2";
export const colleague = "127.0.0.3";

/** A gate in this process whose logins are counted. */
export interface AttackedGate {
  /** In the order in which the requests ended. */
  readonly records: readonly RequestRecord[];
  /** How many logins the backend has been asked about. */
  asked(): number;
  /** How many logins of the attacker the backend has judged between being asked about the colleague's and judging it. */
  turnsBefore(): number;
  /** Opens a connection from an address, and sends one login after the other on it without waiting for responses. */
  flood(address: string, logins: readonly (readonly [username: string, password: string])[]): void;
  /** Logs in on a connection of its own. */
  login(address: string, username: string, password: string): Promise<number>;
}

export async function attackedGate(
  backend: AuthBackend,
  options: Pick<RegistryProxyOptions, "throttle" | "loginCache"> = {},
): Promise<AttackedGate> {
  const records: RequestRecord[] = [];
  const upstream = await startUpstream((_, response) => void response.end("{}"));
  let asked = 0;
  let judged = 0;
  let waitsFrom = 0;
  let waitsUntil = Number.POSITIVE_INFINITY;
  const counted: AuthBackend = {
    id: backend.id,
    async authenticate(request) {
      if (request.credentials === undefined) return backend.authenticate(request);
      asked++;
      if (request.client === colleague) waitsFrom = judged;
      const result = await backend.authenticate(request);
      if (request.client === colleague) waitsUntil = judged;
      else judged++;
      return result;
    },
  };
  const proxy = registryProxy({
    upstream: { url: upstream.url },
    backends: [counted],
    onFinished: (record) => void records.push(record),
    // The limit on requests in flight would turn most of an attack away before anybody has to be asked.
    limits: { inFlightPerClient: 1000 },
    ...options,
  });
  const server = createServer((request, response) => proxy(request, response));
  const port = await listen(server);
  const sockets = new Set<Socket>();
  const open = (address: string): Socket => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: address });
    sockets.add(socket);
    return socket.on("error", () => {});
  };
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await proxy.close();
    await backend.close?.();
    await upstream.close();
  });

  const head = (username: string, password: string): string =>
    `GET /v2/ HTTP/1.1\r\nHost: registry\r\nAuthorization: ${basic(username, password).authorization}\r\n\r\n`;
  return {
    records,
    asked: () => asked,
    turnsBefore: () => waitsUntil - waitsFrom,
    flood(address, logins) {
      const socket = open(address);
      socket.resume().write(logins.map(([username, password]) => head(username, password)).join(""));
    },
    login(address, username, password) {
      const socket = open(address);
      socket.write(head(username, password));
      return new Promise((resolve, reject) => {
        let text = "";
        socket.setEncoding("latin1").on("data", (part: string) => {
          text += part;
          const status = /^HTTP\/1\.1 (\d{3}) .*\r\n\r\n/s.exec(text)?.[1];
          if (status !== undefined) resolve(Number(status));
        });
        socket.once("close", () => reject(new Error("the connection ended without a response")));
      });
    },
  };
}

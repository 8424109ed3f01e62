import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, createServer, type Socket, type Server as TcpServer } from "node:net";
import type { AuthBackend, AuthResult, Logger } from "@registry-gate/auth";
import { type EmbeddedRegistry, type Faults, startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import { onTestFinished } from "vitest";
import {
  type RegistryProxy,
  type RegistryProxyOptions,
  type RequestRecord,
  refuseUnreadable,
  registryProxy,
  serveExpectations,
  type UnreadableRequest,
} from "../../src/index.ts";

/** `Authorization` of alice, who is in the group dev. */
export const alice = `Basic ${Buffer.from("alice:canary-password").toString("base64")}`;

/** Knows alice by her password, and whoever is named in the header x-test-user. */
const people: AuthBackend = {
  id: "people",
  credentialHeaders: ["x-test-user"],
  async authenticate({ credentials, header }): Promise<AuthResult> {
    const named = header("x-test-user")[0];
    if (named !== undefined) return letIn(named);
    if (credentials?.scheme !== "basic" || credentials.username !== "alice") return { status: "abstained" };
    if (credentials.password !== "canary-password") return { status: "rejected", reason: "wrong password" };
    return letIn("alice");
  },
};

function letIn(username: string): AuthResult {
  return { status: "authenticated", identity: { subject: username, username, groups: ["dev"], backend: "people" } };
}

/** A gate on a port of its own. */
export interface TestGate {
  readonly port: number;
  readonly url: string;
  readonly proxy: RegistryProxy;
  readonly records: RequestRecord[];
  /** Everything that was logged, as text. */
  logged(): string;
}

export interface GateSettings extends Partial<Omit<RegistryProxyOptions, "upstream">> {
  readonly upstream: number | RegistryProxyOptions["upstream"];
  /** Makes of the proxy what the server calls; by default the proxy itself. */
  readonly mount?: (proxy: RegistryProxy) => RequestListener;
  /** Of the server, in milliseconds; looked after every 20 ms. */
  readonly headersTimeout?: number;
  /** Is called for what no handler has seen. */
  readonly onRefused?: (request: UnreadableRequest) => void;
}

/**
 * How the gates of these tests reach their registries, where a test does not say: by the direct transport for all that
 * it can send. `by-library.test.ts` runs the same tests by the library.
 */
export const reached: { transport: "auto" | "direct" | "library" } = { transport: "auto" };

export async function startGate({
  upstream,
  mount,
  onRefused,
  headersTimeout,
  ...options
}: GateSettings): Promise<TestGate> {
  const records: RequestRecord[] = [];
  const lines: string[] = [];
  const keep: Logger["info"] = (fields, message) => {
    const { err, ...rest } = fields;
    lines.push(JSON.stringify({ ...rest, err: err instanceof Error ? err.message : err, message }));
  };
  const proxy = registryProxy({
    upstream: {
      transport: reached.transport,
      ...(typeof upstream === "number" ? { url: `http://127.0.0.1:${upstream}` } : upstream),
    },
    backends: [people],
    onFinished: (record) => void records.push(record),
    log: { debug: keep, info: keep, warn: keep, error: keep },
    ...options,
  });
  const handler: RequestListener = mount?.(proxy) ?? ((request, response) => proxy(request, response));
  const limits = headersTimeout === undefined ? {} : { headersTimeout, connectionsCheckingInterval: 20 };
  const server = createHttpServer({ keepAliveTimeout: 60_000, ...limits }, handler);
  if (onRefused === undefined) proxy.attach(server, handler);
  else {
    serveExpectations(server, handler);
    refuseUnreadable(server, onRefused);
  }
  const port = await listen(server);
  onTestFinished(async () => {
    await stop(server);
    await proxy.close();
  });
  return { port, url: `http://127.0.0.1:${port}`, proxy, records, logged: () => lines.join("\n") };
}

/** A registry that can be made to misbehave. */
export async function startRegistry(faults: Faults = {}): Promise<EmbeddedRegistry> {
  const registry = await startEmbeddedRegistry({ faults });
  onTestFinished(() => registry.close());
  return registry;
}

/** A registry made of node's own server. */
export async function startUpstream(respond: RequestListener): Promise<number> {
  const server = createHttpServer({ keepAliveTimeout: 60_000 }, respond);
  const port = await listen(server);
  onTestFinished(() => stop(server));
  return port;
}

/** A registry that records each byte and answers by the test's own hand. */
export interface RawUpstream {
  readonly port: number;
  /** What came in, a text for each connection. */
  readonly received: string[];
  readonly sockets: Socket[];
}

const requestHead = /^[A-Z]+ \/\S* HTTP\/1\.1\r\n(?:[^\r\n]+\r\n)*\r\n/m;

/** @param respond Called when a head has come in; by default everything is answered with 200 and no body. */
export async function startRawUpstream(
  respond: (socket: Socket, head: string) => void = (socket) =>
    void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
): Promise<RawUpstream> {
  const received: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const index = received.push("") - 1;
    sockets.push(socket);
    /** Where the next head may begin: a body need not end with a line. */
    let next = 0;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      received[index] += chunk.toString("latin1");
      for (;;) {
        const found = requestHead.exec((received[index] ?? "").slice(next));
        if (found === null) return;
        const [head] = found;
        next += found.index + head.length + Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
        respond(socket, head);
      }
    });
  });
  const port = await listen(server);
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await stop(server);
  });
  return { port, received, sockets };
}

/** A client that writes bytes and reads bytes. */
export interface RawClient {
  readonly socket: Socket;
  write(text: string): void;
  /** Everything that has come so far. */
  text(): string;
  /** Resolves with everything that has come when it is as wanted, or when the connection has ended. */
  until(wanted: RegExp): Promise<string>;
  /** Resolves with everything that has come when the connection has ended. */
  ended(): Promise<string>;
}

export async function connectRaw(port: number): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  let over = false;
  let look: () => void = () => {};
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
    look();
  });
  const end = (): void => {
    over = true;
    look();
  };
  socket.on("end", end);
  socket.on("close", end);
  socket.on("error", end);
  await once(socket, "connect");
  onTestFinished(() => void socket.destroy());
  const wait = (done: () => boolean): Promise<string> =>
    new Promise((resolve) => {
      look = () => {
        if (done()) resolve(text);
      };
      look();
    });
  return {
    socket,
    write: (chunk) => void socket.write(chunk, "latin1"),
    text: () => text,
    until: (wanted) => wait(() => over || wanted.test(text)),
    ended: () => wait(() => over),
  };
}

/** Sends one request as it stands, and resolves with the response, or with nothing where the connection ended without. */
export async function exchange(port: number, ...lines: readonly string[]): Promise<string> {
  const client = await connectRaw(port);
  client.write(lines.join("\r\n"));
  const response = await client.until(/\r\n\r\n/);
  client.socket.destroy();
  return response;
}

/** The status of each response in what a connection has said. */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}

async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return portOf(server.address());
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new TypeError("not listening on a port");
  return address.port;
}

async function stop(server: Server | TcpServer): Promise<void> {
  const closed = once(server, "close");
  server.close();
  if ("closeAllConnections" in server) server.closeAllConnections();
  await closed;
}

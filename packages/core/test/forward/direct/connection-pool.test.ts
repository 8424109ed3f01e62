import { createServer, type RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../../../../../test/support/listen.ts";
import { connectionLimit } from "../../../src/forward/connection-limit.ts";
import { type ConnectionPool, connectionPool } from "../../../src/forward/direct/connection-pool.ts";
import { directTransport } from "../../../src/forward/direct/direct-transport.ts";
import { socketOpener } from "../../../src/forward/direct/open-socket.ts";
import type { ResponseSink } from "../../../src/forward/transport.ts";

interface TestPool {
  readonly pool: ConnectionPool;
  /** Resolves with the response's body. */
  send(user: string): Promise<string>;
  /** How many connections the registry has. */
  connections(): Promise<number>;
}

async function startPool(
  { idleTimeout, most }: { idleTimeout: number; most: number },
  respond: RequestListener,
): Promise<TestPool> {
  const server = createServer({ keepAliveTimeout: 60_000 }, respond);
  const port = await listen(server);
  const open = socketOpener({ host: "127.0.0.1", port, secure: false, ca: undefined });
  const settings = {
    upstream: "registry",
    open,
    secure: false,
    connectTimeout: 5000,
    readTimeout: 600_000,
    idleTimeout,
  };
  const pool = connectionPool(settings, connectionLimit(most));
  onTestFinished(() => {
    pool.close();
    server.close();
  });
  const transport = directTransport(pool);
  return {
    pool,
    send: (user) =>
      new Promise((resolve, reject) => {
        let body = "";
        const sink: ResponseSink = {
          head() {},
          chunk(chunk, consumed) {
            body += chunk.toString("latin1");
            consumed?.();
            return true;
          },
          flush() {},
          end: () => resolve(body),
          failed: ({ error }) => reject(error),
        };
        const request = { method: "GET", target: "/", headers: { host: "x" }, body: undefined, route: undefined };
        transport.send({ ...request, connectionKey: user, clientKey: user }, sink);
      }),
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
  };
}

test("an idle connection is closed after its time, whoever's became idle before it", async () => {
  const { pool, send, connections } = await startPool({ idleTimeout: 300, most: 10 }, (_, response) => {
    response.end("x");
  });
  expect(await Promise.all(["alice", "bob", "alice"].map(send))).toEqual(["x", "x", "x"]);
  expect(pool.hasIdle("alice")).toBe(true);
  expect(pool.hasIdle("bob")).toBe(true);
  expect(await connections()).toBe(3);
  await send("bob");
  await expect.poll(connections).toBe(0);
  expect(pool.hasIdle("alice") || pool.hasIdle("bob")).toBe(false);
  // The timer begins again with the next one.
  await send("carol");
  expect(pool.hasIdle("carol")).toBe(true);
  await expect.poll(() => pool.hasIdle("carol")).toBe(false);
});

test("a connection in use is not idle, however long its response takes", async () => {
  const { send } = await startPool({ idleTimeout: 50, most: 10 }, (_, response) => {
    setTimeout(() => response.end("late"), 500);
  });
  expect(await send("alice")).toBe("late");
});

test("with as many open as there may be, the one that has been idle for the longest makes place", async () => {
  const { pool, send, connections } = await startPool({ idleTimeout: 60_000, most: 2 }, (_, response) => {
    response.end("x");
  });
  for (const user of ["alice", "bob", "alice", "carol"]) await send(user);
  expect(["alice", "bob", "carol"].filter((user) => pool.take(user) !== undefined)).toEqual(["alice", "carol"]);
  await expect.poll(connections).toBe(2);
});

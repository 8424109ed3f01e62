import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { spreadBursts } from "../src/listener/spread-bursts.ts";

/** A server in a time of its own. It says how long it has stood still after each connection, in milliseconds. */
async function startServer(): Promise<{ connectAt(time: number): Promise<void>; readonly pauses: readonly number[] }> {
  let now = 0;
  const pauses: number[] = [];
  const server = createServer((socket) => socket.end());
  server.on("connection", () => pauses.push(0));
  spreadBursts(server, {
    now: () => now,
    pause(time) {
      now += time;
      pauses[pauses.length - 1] = time;
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    async connectAt(time) {
      now = Math.max(now, time);
      const socket = connect(port, "127.0.0.1").resume();
      await once(socket, "close");
    },
    pauses,
  };
}

test("a process stands still after each connection of a burst but its first", async () => {
  const { connectAt, pauses } = await startServer();
  for (const time of [1000, 1001, 1002, 2000, 2001]) await connectAt(time);
  expect(pauses).toEqual([0, 0.1, 0.1, 0, 0.1]);
});

test("connections that come one by one are taken at once", async () => {
  const { connectAt, pauses } = await startServer();
  for (let time = 0; time < 500; time += 20) await connectAt(time);
  expect(new Set(pauses)).toEqual(new Set([0]));
});

test("a process stands still 256 times in a burst that nobody else takes, and 64 times a second under lasting load", async () => {
  const { connectAt, pauses } = await startServer();
  const count = (from: number): number => pauses.slice(from).filter((pause) => pause > 0).length;
  for (let connection = 0; connection < 300; connection++) await connectAt(0);
  // Their own time counts, too.
  expect(count(0)).toBe(257);
  for (let time = 1000; time < 3000; time += 4) await connectAt(time);
  expect(count(300)).toBeGreaterThanOrEqual(3 * 64 - 5);
  expect(count(300)).toBeLessThanOrEqual(3 * 64 + 1);
});

import { once } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ConnectionTable, connectionTable } from "../src/listener/connection-table.ts";

const server = createServer();
let table: ConnectionTable;
let client: Socket;
/** The gate's end of the connection. */
let socket: Socket;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  table = connectionTable({
    admits: () => true,
    onClose: () => {},
    onHandshakeFailed: () => {},
    onSweep: () => {},
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const accepted = once(server, "connection");
  client = connect(address.port, "127.0.0.1");
  [socket] = await accepted;
  socket.resume();
  table.accept(socket, false);
});

afterEach(() => {
  vi.useRealTimers();
  table.cut();
  table.stop();
  client.destroy();
  server.close();
});

async function hear(text: string): Promise<void> {
  const before = socket.bytesRead;
  client.write(text);
  while (socket.bytesRead < before + text.length) await nextTurn();
}

const seconds = (count: number): unknown => vi.advanceTimersByTime(count * 1000);

test("an idle connection is closed after 75 s in which nothing has come", async () => {
  await hear("something");
  seconds(70);
  await hear("and more");
  seconds(74);
  expect(socket.destroyed).toBe(false);
  seconds(3);
  expect(socket.destroyed).toBe(true);
});

test("a connection with a request in progress is idle when the response is closed", async () => {
  await hear("a request");
  const connection = table.find(socket);
  if (connection === undefined) throw new Error("it is not in the table");
  const response = new ServerResponse(new IncomingMessage(socket));
  connection.response = response;
  seconds(1000);
  expect(socket.destroyed).toBe(false);
  response.destroy();
  await once(response, "close");
  seconds(74);
  expect(socket.destroyed).toBe(false);
  seconds(3);
  expect(socket.destroyed).toBe(true);
});

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { exchange } from "../src/doctor/exchange.ts";

async function serve(respond: RequestListener): Promise<URL> {
  const server = createServer(respond).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return new URL(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
}

const signal = new AbortController().signal;

// Else an upload that takes long would look like a clock that is wrong.
test("compares clocks at the time of the response, however long the request took", async () => {
  let responded = Number.POSITIVE_INFINITY;
  const url = await serve(async (_, response) => {
    await delay(500);
    responded = Date.now();
    response.end();
  });
  const { at } = await exchange({ method: "GET", url, connection: {}, signal });
  expect(at).toBeGreaterThanOrEqual(responded);
});

test("reads an early refusal though the body has not been sent", async () => {
  const url = await serve((_, response) => response.writeHead(413, { Connection: "close" }).end("too large"));
  let chunks = 0;
  const { status, body } = await exchange({
    ...{ method: "PUT", url, connection: {}, signal },
    async send({ write, responds }) {
      while (!(await responds(0))) {
        await write(Buffer.alloc(65_536));
        chunks++;
      }
    },
  });
  expect({ status, body: body.toString() }).toEqual({ status: 413, body: "too large" });
  expect(chunks).toBeGreaterThan(0);
});

test("fails where the server switches protocols", async () => {
  const url = await serve(({ socket }) => {
    socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
  });
  const response = exchange({ method: "GET", url, connection: {}, signal });
  await expect(response).rejects.toMatchObject({ message: "the server switched protocols" });
});

test.each([
  ["a time limit", "TIMEOUT", { timeLimit: 100 }],
  ["an interruption", "ABORTED", { signal: AbortSignal.timeout(100) }],
])("ends by %s", async (_, code, more) => {
  const url = await serve(() => {});
  await expect(exchange({ method: "GET", url, connection: {}, signal, ...more })).rejects.toMatchObject({ code });
});

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { refuseUnreadable } from "@registry-gate/core";
import { expect, onTestFinished, test } from "vitest";
import { countRequests } from "../src/gate/request-count.ts";

const get = "GET / HTTP/1.1\r\nHost: registry.example.com\r\n\r\n";
const tunnel = "CONNECT a.example.com:1 HTTP/1.1\r\nHost: a.example.com:1\r\n\r\n";

async function scene() {
  const responses: ServerResponse[] = [];
  const requests = countRequests((_, response) => void responses.push(response));
  const server = createServer(requests.handle);
  refuseUnreadable(server);
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { requests, responses, client: connect(address.port, "127.0.0.1") };
}

test.each([
  ["one", get, 1],
  ["three", get.repeat(3), 3],
  ["one before a CONNECT", get + tunnel, 1],
  ["three before a CONNECT", get.repeat(3) + tunnel, 3],
])("%s of a client that leaves is not in progress any more", async (_, text, count) => {
  const { requests, client } = await scene();
  client.write(text);
  await expect.poll(() => requests.active).toBe(count);
  client.resetAndDestroy();
  await requests.finished();
  expect(requests.active).toBe(0);
});

test("pipelined requests are in progress until their own responses are finished", async () => {
  const { requests, responses, client } = await scene();
  client.resume();
  client.write(get.repeat(3));
  await expect.poll(() => requests.active).toBe(3);
  for (const [index, response] of responses.entries()) {
    response.end();
    await expect.poll(() => requests.active).toBe(2 - index);
  }
  client.destroy();
  await expect.poll(() => responses[0]?.req.socket.destroyed).toBe(true);
  expect(requests.active).toBe(0);
});

import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { send } from "./client.ts";
import { alice, connectRaw, startGate, startRawUpstream } from "./servers.ts";

const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;
const surplus = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nalice's secret";
const access = [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*" as const] }];

/** What alice asks, and what the registry says to that before it says too much. */
const exchanges = [
  { name: "HEAD", method: "HEAD", path: blob, response: "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n" },
  { name: "204", method: "GET", path: blob, response: "HTTP/1.1 204 No Content\r\n\r\n" },
  { name: "304", method: "GET", path: blob, response: "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n" },
  { name: "a body", method: "GET", path: blob, response: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" },
  {
    name: "a chunked body",
    method: "GET",
    path: blob,
    response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  },
  {
    name: "PUT",
    method: "PUT",
    path: "/v2/team/app/manifests/v1",
    response: "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "POST",
    method: "POST",
    path: "/v2/team/app/blobs/uploads/",
    response: "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "DELETE",
    method: "DELETE",
    path: "/v2/team/app/manifests/v1",
    response: "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
  },
];

async function startTalkative(respond: (socket: Socket) => void) {
  let asked = 0;
  return await startRawUpstream((socket) => {
    asked++;
    if (asked === 1) respond(socket);
    else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nbob's `);
  });
}

function sent({ method, path }: { method: string; path: string }) {
  const body = method === "PUT" ? { body: "{}", headers: { "content-type": "application/octet-stream" } } : {};
  return { method, path, ...body };
}

describe("surplus bytes after a response", () => {
  describe.each(exchanges)("to $name", (exchange) => {
    test.each([0, 1, 5, 50])("that arrive %d ms later reach nobody", async (delay) => {
      const upstream = await startTalkative((socket) => {
        if (delay === 0) socket.write(exchange.response + surplus);
        else {
          socket.write(exchange.response);
          setTimeout(() => socket.write(surplus), delay);
        }
      });
      const gate = await startGate({ upstream: upstream.port, access });
      await send(gate.port, sent(exchange));
      // Bob is another user: a connection that carried somebody else's request is not used for his, however quiet it is.
      for (const path of [blob, "/v2/", blob]) {
        const response = await send(gate.port, { path, user: "bob" });
        expect([response.status, response.body]).toEqual([200, "bob's "]);
      }
    });
  });

  test.each(exchanges)(
    "to $name ends the connection, so that the same user does not get it either",
    async (exchange) => {
      const upstream = await startTalkative((socket) => {
        socket.write(exchange.response);
        setTimeout(() => socket.write(surplus), 5);
      });
      const gate = await startGate({ upstream: upstream.port, access });
      await send(gate.port, sent(exchange));
      await expect
        .poll(() => upstream.sockets[0]?.destroyed === true || upstream.sockets[0]?.readableEnded === true)
        .toBe(true);
      const response = await send(gate.port, { path: blob });
      expect([response.status, response.body]).toEqual([200, "bob's "]);
    },
  );
});

test("surplus bytes that cross the next request of the same user are not taken for its response", async () => {
  const upstream = await startTalkative(
    (socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  );
  const gate = await startGate({ upstream: upstream.port, access });
  const get = `GET ${blob} HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\n\r\n`;
  const client = await connectRaw(gate.port);
  client.write(get);
  await client.until(/ok$/);
  // The gate finds both when it looks next, and the request first.
  client.write(get);
  upstream.sockets[0]?.write(surplus);
  expect(await client.until(/secret|bob's /)).toMatch(/ok[\s\S]*bob's $/);
});

test("a kept connection serves the requests of one user", async () => {
  const upstream = await startRawUpstream();
  const gate = await startGate({ upstream: upstream.port, access });
  for (const user of ["bob", "carol", "bob", "carol", "bob"]) {
    await send(gate.port, { path: blob, user });
    await send(gate.port, { method: "DELETE", path: "/v2/team/app/manifests/v1", user });
  }
  const paths = upstream.received.map((text) => text.match(/^(?:GET|DELETE)/gm)?.join(" "));
  expect(paths.sort()).toEqual(["GET DELETE GET DELETE", "GET DELETE GET DELETE GET DELETE"]);
});

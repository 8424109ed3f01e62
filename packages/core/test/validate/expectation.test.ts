import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { askForBody, serveExpectations } from "../../src/validate/expectation.ts";

async function responseOf(handler: RequestListener): Promise<string> {
  const server = createServer();
  serveExpectations(server, handler);
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const client = connect({ port: address.port, host: "127.0.0.1" });
  let received = "";
  client.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
  });
  client.write("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  await once(client, "end");
  return received;
}

test("asks once for a body that the client holds back", async () => {
  const received = await responseOf((request, response) => {
    askForBody(request, response);
    askForBody(request, response);
    response.writeHead(200, { Connection: "close" }).end();
  });
  expect(received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
});

test("does not ask for a body that was refused while the request waited for a connection", async () => {
  const received = await responseOf((request, response) => {
    response.writeHead(400, { Connection: "close", "Content-Length": "2" });
    response.write("no");
    askForBody(request, response);
    response.end();
  });
  expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n(?:.+\r\n)+\r\nno$/);
});

import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { lingering } from "../../src/respond/end-response.ts";
import { sendError } from "../../src/respond/error-response.ts";

test("keeps a closing connection open until the body of the refused request has arrived", async () => {
  const server = createServer((request, response) => {
    sendError(request, response, {
      status: 400,
      code: "UNSUPPORTED",
      message: "not so",
      headers: { Connection: "close" },
    });
  });
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const client = connect({ port: address.port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void client.destroy());
  const seen: string[] = [];
  client.setEncoding("latin1").on("end", () => seen.push("end"));
  client.on("data", (chunk: string) => seen.push(chunk.slice(0, 12)));
  client.write("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  await expect.poll(() => seen).toContain("HTTP/1.1 400");
  // Each of these comes to a connection that the server would have given up by now.
  for (let chunk = 0; chunk < 20; chunk++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    client.write("5\r\nhello\r\n");
  }
  expect(seen).not.toContain("end");
  client.write("0\r\n\r\n");
  await once(client, "end");
});

test("a refused request without a body leaves its connection to the next ones for good", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const server = createServer({ optimizeEmptyRequests: true }, (request, response) => {
    sendError(request, response, { status: 403, code: "DENIED", message: "not so" });
  });
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const client = connect({ port: address.port, host: "127.0.0.1" });
  onTestFinished(() => void client.destroy());
  for (let request = 0; request < 3; request++) {
    client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const [chunk]: unknown[] = await once(client, "data");
    expect(String(chunk)).toMatch(/^HTTP\/1\.1 403 /);
    vi.advanceTimersByTime(lingering);
  }
});

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { respondToHealthCheck } from "../src/listener/health-check.ts";

/** A server that responds to nothing but health checks. */
async function serve(ready: () => boolean): Promise<string> {
  const server = createServer((request, response) => {
    const status = respondToHealthCheck("/healthz", ready(), request, response);
    if (status === undefined) response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("responds 503 and closes the connection as soon as the gate is not ready", async () => {
  let ready = true;
  const url = await serve(() => ready);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  ready = false;
  for (const method of ["GET", "HEAD", "OPTIONS"]) {
    const response = await fetch(`${url}/healthz`, { method });
    expect(response.status).toBe(503);
    expect(response.headers.get("connection")).toBe("close");
  }
  expect((await fetch(`${url}/healthz`, { method: "POST" })).status).toBe(405);
  expect((await fetch(`${url}/other`)).status).toBe(418);
});

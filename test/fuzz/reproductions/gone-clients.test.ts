import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startGate } from "../../support/gate.ts";
import { connectRaw } from "../../support/raw-client.ts";
import { startUpstream } from "../../support/upstream.ts";
import { ordinaryResponse, requestText, type Scene, startScene } from "./scene.ts";

/** A connection that is reset just behind its request has no address any more when the request is looked at. */

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene.close());

const times = 100;

/** Sends a request and resets the connection at once, many times. */
async function sendAndReset(url: string, bytes: string): Promise<void> {
  for (let turn = 0; turn < times; turn++) {
    const { socket } = await connectRaw(url);
    const written = new Promise((resolve) => socket.write(bytes, "latin1", resolve));
    await written;
    socket.resetAndDestroy();
    await delay(2);
  }
  await delay(200);
}

test("is not trusted like a peer on a Unix socket", async () => {
  const deleted: string[] = [];
  const upstream = await startUpstream((request, response) => {
    if (request.method === "DELETE") deleted.push(request.url ?? "");
    response.writeHead(202).end();
  });
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "sso-header", trustedProxies: ["unix:"], userHeader: "X-Forwarded-User" }] },
      access: [{ subjects: ["user:alice"], repositories: ["**"], actions: ["*"] }],
    },
  });
  try {
    await sendAndReset(
      gate.url,
      "DELETE /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: a\r\nX-Forwarded-User: alice\r\n\r\n",
    );
    expect(deleted).toEqual([]);
  } finally {
    await gate.close();
    await upstream.close();
  }
});

test("is passed on with its address, or not at all", async () => {
  const strangers: string[] = [];
  scene.respond = (request) => {
    if (!/\r\nx-real-ip: 127\.0\.0\.1\r\n/i.test(`${request.head}\r\n`)) strangers.push(request.head);
    ordinaryResponse(request);
  };
  await sendAndReset(scene.gate.url, requestText("alice", "DELETE", "/v2/alice/app/manifests/v1"));
  expect(strangers).toEqual([]);
});

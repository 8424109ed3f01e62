import { afterEach, beforeEach, expect, test } from "vitest";
import { connectRaw, exchangeRaw } from "../../support/raw-client.ts";
import { run } from "../../support/run.ts";
import { ordinaryResponse, requestText, type Scene, startScene } from "./scene.ts";

let scene: Scene;

beforeEach(async () => {
  scene = await startScene();
  // What many a system gives a process.
  await run("prlimit", ["--pid", `${scene.gate.pid}`, "--nofile=512:512"]);
});

afterEach(() => scene.close());

/** More than the gate has descriptors. */
const count = 3000;
/** Connections to the registry that one connection of a client may cost. */
const handful = 8;
const target = (index: number): string => `/v2/alice/app/manifests/v${index}`;

test(`${count} pipelined requests get their responses in order, and do not starve other clients`, async () => {
  scene.respond = (request) => setTimeout(() => ordinaryResponse(request), 1);
  const client = await connectRaw(scene.gate.url);
  client.write(Array.from({ length: count }, (_, index) => requestText("alice", "GET", target(index))).join(""));
  let over = false;
  const answered = (async () => {
    // All are counted in what came, so the last alone is waited for.
    await expect
      .poll(() => client.text().includes(`${target(count - 1)}`), { timeout: 100_000, interval: 200 })
      .toBe(true);
    over = true;
  })();
  const others: number[] = [];
  const othersServed = (async () => {
    while (!over) {
      const [response] = await exchangeRaw(
        scene.gate.url,
        requestText("bobby", "GET", "/v2/bobby/app/manifests/latest"),
      );
      others.push(response?.status ?? 0);
    }
  })();
  await Promise.all([answered, othersServed]);
  const responses = await client.responses(count);
  expect(responses.map(({ body }) => body)).toEqual(Array.from({ length: count }, (_, index) => target(index)));
  expect(others.length).toBeGreaterThan(3);
  expect(new Set(others)).toEqual(new Set([200]));
  expect(scene.registry.mostConnections()).toBeLessThanOrEqual(handful);
  expect(scene.gate.faults()).toEqual([]);
  client.socket.destroy();
}, 120_000);

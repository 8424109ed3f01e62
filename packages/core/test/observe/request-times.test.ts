import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { gateTime, requestTimes, timeQuery, upstreamTime } from "../../src/observe/request-times.ts";
import { send } from "../middleware/client.ts";
import { startGate, startUpstream } from "../middleware/servers.ts";

const never = { queries: undefined, sent: undefined, lastChunk: undefined, responded: undefined };

test.each([
  ["never came so far as the registry", never, undefined, 100],
  ["was sent and has had its response", { ...never, sent: 20, responded: 50 }, 30, 20],
  ["has had none yet", { ...never, sent: 20 }, 80, 20],
  ["had a body, which is the client's time", { ...never, sent: 20, lastChunk: 60, responded: 65 }, 5, 20],
  ["had its response before its body was there", { ...never, sent: 20, lastChunk: 70, responded: 65 }, 0, 20],
  ["needed a query alone", { ...never, queries: 30 }, 30, 70],
  ["needed a query before it was sent", { ...never, queries: 15, sent: 20, responded: 50 }, 45, 5],
])("a request that %s", (_, times, upstream, gate) => {
  expect(upstreamTime({ begun: 0, ...times }, 100)).toBe(upstream);
  expect(gateTime({ begun: 0, ...times }, 100)).toBe(gate);
});

test("queries are added up, also one that fails", async () => {
  const times = requestTimes();
  await timeQuery(times, delay(30));
  const first = times.queries ?? 0;
  expect(first).toBeGreaterThan(20);
  await expect(
    timeQuery(
      times,
      delay(30).then(() => Promise.reject(new Error("down"))),
    ),
  ).rejects.toThrow("down");
  expect(times.queries).toBeGreaterThan(first + 20);
});

const pause = 250;
const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;

/** Whole times are loose: what one part has, another has not, however busy the machine is. */
test("the record has what the registry took until its response began, and not what the body took", async () => {
  const upstream = await startUpstream(async (request, response) => {
    request.resume();
    await delay(pause);
    response.writeHead(200, { "content-length": 2 }).write("a");
    await delay(pause);
    response.end("b");
  });
  const gate = await startGate({ upstream });
  await send(gate.port, { path: blob });
  await expect.poll(() => gate.records).toHaveLength(1);
  const [{ milliseconds = 0, gateMilliseconds = 0, upstreamMilliseconds = 0 } = {}] = gate.records;
  expect(upstreamMilliseconds).toBeGreaterThan(pause * 0.9);
  expect(milliseconds - upstreamMilliseconds).toBeGreaterThan(pause * 0.9);
  expect(gateMilliseconds + upstreamMilliseconds).toBeLessThanOrEqual(milliseconds);
});

test("the record counts the time of an upload for neither side, and none of a registry that was not asked", async () => {
  const upstream = await startUpstream(async (request, response) => {
    for await (const _ of request);
    response.writeHead(202).end();
  });
  const gate = await startGate({ upstream });
  const body = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from("a");
    await delay(pause);
    yield Buffer.from("b");
  };
  const headers = { "content-type": "application/octet-stream" };
  await send(gate.port, {
    path: "/v2/team/app/blobs/uploads/1",
    method: "PATCH",
    headers,
    body: Readable.from(body()),
  });
  await send(gate.port, { path: "/v2/", user: null });
  await expect.poll(() => gate.records).toHaveLength(2);
  const [upload, refused] = gate.records;
  const { milliseconds = 0, gateMilliseconds = 0, upstreamMilliseconds = 0 } = upload ?? {};
  expect(upstreamMilliseconds).toBeGreaterThan(0);
  expect(milliseconds - upstreamMilliseconds - gateMilliseconds).toBeGreaterThan(pause * 0.8);
  expect(refused?.upstreamMilliseconds).toBeUndefined();
  expect(refused?.gateMilliseconds).toBeGreaterThan(0);
});

test("the record counts queries of the gate for the registry", async () => {
  const upstream = await startUpstream(async (_, response) => {
    await delay(pause);
    response.end('{"repositories":[]}');
  });
  const gate = await startGate({ upstream });
  await send(gate.port, { path: "/v2/_catalog" });
  await expect.poll(() => gate.records).toHaveLength(1);
  const [{ milliseconds = 0, gateMilliseconds = 0, upstreamMilliseconds = 0 } = {}] = gate.records;
  expect(upstreamMilliseconds).toBeGreaterThan(pause * 0.9);
  expect(milliseconds - gateMilliseconds).toBeGreaterThan(pause * 0.9);
});

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import type { RunningGate } from "../support/gate.ts";
import { type Gates, gatesBefore } from "../support/gates-before.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

let upstream: ScriptedUpstream;
let gates: Gates;
beforeAll(async () => {
  upstream = await startUpstream((_, response) => {
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    response.end("{}");
  });
  gates = gatesBefore(upstream.url, await passwordFile({ alice: "alice-password" }), {
    listen: { address: "127.0.0.1:0", healthPath: "/healthz" },
  });
});
afterAll(() => upstream.close());

/** A gate with an admin listener, in which `drainDelay` stands where it is given. */
function start(drainDelay: string | undefined, more: object = {}): Promise<RunningGate> {
  const admin = { address: "127.0.0.1:0", ...(drainDelay !== undefined && { drainDelay }) };
  return gates.start({ admin, ...more });
}

/** Of the admin listener and of a pull, over new connections: status or `refused`. */
async function states(gate: RunningGate): Promise<readonly unknown[]> {
  const { address } = await gate.logged(({ event }) => event === "admin listening");
  const of = (url: string): Promise<unknown> =>
    fetch(url, { headers: { ...basic("alice", "alice-password"), connection: "close" } }).then(
      ({ status }) => status,
      () => "refused",
    );
  const admin = `http://${String(address)}`;
  return [await of(`${admin}/livez`), await of(`${admin}/readyz`), await of(`${gate.url}/v2/`)];
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "after %s it is not ready at once, accepts requests for a while, and ends",
  async (signal) => {
    const gate = await start("3s");
    expect(await states(gate)).toEqual([200, 200, 200]);
    gate.kill(signal);
    const { milliseconds } = await gate.logged(({ event }) => event === "drain delay");
    expect(milliseconds).toBe(3000);
    expect(await states(gate)).toEqual([200, 503, 200]);
    expect((await fetch(`${gate.url}/healthz`)).status).toBe(503);
    expect(gate.lines().filter(({ event }) => event === "stopping")).toEqual([]);
    await gate.logged(({ event }) => event === "stopping");
    expect(await gate.ended).toBe(0);
  },
);

test("a second signal begins to drain, so that nobody has to wait for the end of a long delay", async () => {
  const gate = await start("1h");
  gate.kill("SIGTERM");
  await gate.logged(({ event }) => event === "drain delay");
  gate.kill("SIGTERM");
  await gate.logged(({ event }) => event === "stopping");
  expect(await gate.ended).toBe(0);
});

test("is 5 seconds where an admin listener is configured, and none without one or with 0s", async () => {
  const byDefault = await start(undefined);
  byDefault.kill("SIGTERM");
  expect(await byDefault.logged(({ event }) => event === "drain delay")).toMatchObject({ milliseconds: 5000 });
  byDefault.kill("SIGTERM");
  const without = [await start("0s"), await start(undefined, { admin: undefined })];
  for (const gate of without) {
    gate.kill("SIGTERM");
    expect(await gate.ended).toBe(0);
    expect(gate.lines().filter(({ event }) => event === "drain delay")).toEqual([]);
  }
});

test("while it drains, the admin listener says that it is alive and not ready until the last request is over", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const slow = await startUpstream(async (request, response) => {
    if (request.url !== "/v2/") await held;
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    response.end("{}");
  });
  onTestFinished(() => slow.close());
  const gate = await start("0s", { upstream: { url: slow.url } });
  const pull = fetch(`${gate.url}/v2/team/app/manifests/1`, { headers: basic("alice", "alice-password") });
  const { address } = await gate.logged(({ event }) => event === "admin listening");
  const inFlight = async (): Promise<boolean> =>
    (await (await fetch(`http://${String(address)}/metrics`)).text()).includes("registry_gate_requests_in_flight 1\n");
  await expect.poll(inFlight).toBe(true);
  gate.kill("SIGTERM");
  await gate.logged(({ event }) => event === "stopping");
  expect(await states(gate)).toEqual([200, 503, "refused"]);
  release();
  expect((await pull).status).toBe(200);
  expect(await gate.ended).toBe(0);
});

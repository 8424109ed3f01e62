import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { freePort } from "../support/free-port.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

/** Answers that the upstream has begun and not ended: those to `team/slow`. */
let held: ServerResponse[];
let upstream: ScriptedUpstream;
let gate: RunningGate;

const alice = { headers: basic("alice", "alice-password") };
const bob = { headers: basic("bob", "bob-password") };
const manifest = "/v2/team/app/manifests/latest";

beforeEach(async () => {
  held = [];
  upstream = await startUpstream((request, response) => {
    if (request.url !== "/v2/team/slow/manifests/latest") {
      response.end("manifest");
      return;
    }
    response.write("first half, ");
    held.push(response);
  });
  gate = await startGate({
    configuration: configuration(),
    files: { htpasswd: await passwordFile({ alice: "alice-password", bob: "bob-password" }) },
  });
});

afterEach(async () => {
  for (const response of held) response.destroy();
  await gate.close();
  await upstream.close();
});

function configuration(changes: object = {}): object {
  return {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: upstream.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    access: [{ subjects: ["user:alice"], repositories: ["team/**"], actions: ["pull"] }],
    ...changes,
  };
}

const forBob = { access: [{ subjects: ["user:bob"], repositories: ["team/**"], actions: ["pull"] }] };

async function status(of: RequestInit): Promise<number> {
  const response = await fetch(gate.url + manifest, of);
  await response.arrayBuffer();
  return response.status;
}

function reloaded(times: number): Promise<unknown> {
  let seen = 0;
  return gate.logged(({ event }) => event === "reloaded" && ++seen === times);
}

test("a changed file is in force without a signal", async () => {
  expect([await status(alice), await status(bob)]).toEqual([200, 403]);
  await gate.configure(configuration(forBob));
  await reloaded(1);
  expect([await status(alice), await status(bob)]).toEqual([403, 200]);
});

test("a reload does not make failed logins forgotten", async () => {
  const auth = {
    backends: [{ type: "htpasswd", file: "htpasswd" }],
    throttle: { perUserAndAddress: "2/1h", backoff: "1h..1h" },
  };
  await gate.configure(configuration({ auth }));
  await reloaded(1);
  const wrong = { headers: basic("alice", "wrong") };
  expect([await status(wrong), await status(wrong), await status(wrong)]).toEqual([401, 401, 429]);
  gate.kill("SIGHUP");
  await reloaded(2);
  expect([await status(alice), await status(bob)]).toEqual([429, 403]);
  expect(await gate.logged(({ decision }) => decision === "throttled")).toMatchObject({
    status: 429,
    client: "127.0.0.1",
  });
});

test("SIGHUP reads the configuration again, changed or not", async () => {
  gate.kill("SIGHUP");
  await reloaded(1);
  gate.kill("SIGHUP");
  await reloaded(2);
  expect(await status(alice)).toBe(200);
});

test("a wrong configuration is told by its keys and leaves the old one in force; the next good one is taken", async () => {
  await gate.configure(configuration({ acess: [], upstream: { url: "registry:5000" } }));
  const { faults } = await gate.logged(({ event }) => event === "reload refused");
  expect(faults).toEqual(
    expect.arrayContaining([expect.stringMatching(/^acess: /), expect.stringMatching(/^upstream\.url: /)]),
  );
  expect([await status(alice), await status(bob)]).toEqual([200, 403]);

  await gate.put("registry-gate.yaml", "listen: {address: [");
  await gate.logged(({ event, faults }) => event === "reload refused" && !String(faults).includes("acess"));
  expect(await status(alice)).toBe(200);

  await gate.configure(configuration(forBob));
  await reloaded(1);
  expect([await status(alice), await status(bob)]).toEqual([403, 200]);
});

test("a request in flight finishes under the configuration that it began with", async () => {
  const response = await fetch(`${gate.url}/v2/team/slow/manifests/latest`, alice);
  expect(response.status).toBe(200);
  await gate.configure(configuration(forBob));
  await reloaded(1);
  expect(await status(alice)).toBe(403);
  held[0]?.end("second half");
  expect(await response.text()).toBe("first half, second half");
});

test("another address is listened on, and the old one no more", async () => {
  const old = gate.url;
  const port = await freePort();
  await gate.configure(configuration({ listen: { address: `127.0.0.1:${port}` } }));
  await gate.logged(({ event, address }) => event === "listening" && address === `127.0.0.1:${port}`);
  expect((await fetch(`http://127.0.0.1:${port}${manifest}`, alice)).status).toBe(200);
  await expect(fetch(old + manifest, alice)).rejects.toThrow("fetch failed");
});

test("an address that is taken leaves the gate where it was", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await gate.configure(configuration({ ...forBob, listen: { address: `127.0.0.1:${port}` } }));
  const { faults } = await gate.logged(({ event }) => event === "reload refused");
  expect(faults).toEqual([`listen.address: 127.0.0.1:${port} is in use`]);
  expect([await status(alice), await status(bob)]).toEqual([200, 403]);
  other.close();
});

test("SIGTERM lets what has begun finish, takes nothing new, and ends the process", async () => {
  const response = await fetch(`${gate.url}/v2/team/slow/manifests/latest`, alice);
  gate.kill("SIGTERM");
  await expect
    .poll(() =>
      fetch(gate.url + manifest, alice).then(
        () => "answered",
        () => "refused",
      ),
    )
    .toBe("refused");
  held[0]?.end("second half");
  expect(await response.text()).toBe("first half, second half");
  await expect.poll(() => isRunning(gate.pid)).toBe(false);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

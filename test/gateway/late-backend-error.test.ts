import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

/** A third party's backend that fails later, where nobody catches it; its login says how. */
const source = `
  import { EventEmitter } from "node:events";
  const never = () => new Promise(() => {});
  const failures = {
    timer: () => { setTimeout(() => { throw new RangeError("thrown in a timer"); }, 5); return never(); },
    rejection: () => { void Promise.reject(new TypeError("nobody awaits it")); return never(); },
    emitter: () => { setTimeout(() => new EventEmitter().emit("error", new Error("nobody hears it")), 5); return never(); },
    shared: () => { shared.emit("use"); return never(); },
    afterwards: () => { setTimeout(() => { throw new Error("after the response"); }, 50); },
  };
  const shared = new EventEmitter();
  export const plugin = {
    type: "late",
    apiVersion: 1,
    async open(options, { id, log }) {
      if (options.atStart === true) setTimeout(() => { throw new Error("thrown while it opens"); }, 10);
      const timer = setInterval(() => shared.emit("tick"), 10);
      shared.once("use", () => shared.once("tick", () => { throw new Error("thrown by what logins share"); }));
      return {
        id,
        async authenticate({ credentials: { username }, signal }) {
          if (username === "left") {
            log.info({}, "is asked");
            signal.addEventListener("abort", () => {
              log.info({}, "hears of it");
              throw new Error("thrown as the client leaves");
            });
            return never();
          }
          await failures[username]?.();
          return { status: "authenticated", identity: { subject: username, username, groups: [], backend: id } };
        },
        async close() {
          clearInterval(timer);
          setTimeout(() => { throw new Error("thrown after it was closed"); }, 5);
        },
      };
    },
  };
`;

let upstream: ScriptedUpstream;
let plugin: string;

beforeAll(async () => {
  upstream = await startUpstream((_, response) => response.end("{}"));
  plugin = await mkdtemp(join(tmpdir(), "late-plugin-"));
  await writeFile(
    join(plugin, "package.json"),
    JSON.stringify({ name: "late", type: "module", exports: "./index.js" }),
  );
  await writeFile(join(plugin, "index.js"), source);
});
afterAll(async () => {
  await upstream?.close();
  await rm(plugin, { recursive: true, force: true });
});

async function start(options: object = {}): Promise<RunningGate> {
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "late", id: "people", ...options }], cache: false },
    },
    packages: { late: plugin },
  });
  onTestFinished(() => gate.close());
  return gate;
}

const statusOf = async (gate: RunningGate, name: string): Promise<number> =>
  (await fetch(`${gate.url}/v2/`, { headers: basic(name, "x") })).status;

describe("an uncaught error of a third party's backend", () => {
  test.each([
    ["timer", "thrown in a timer"],
    ["rejection", "nobody awaits it"],
    ["emitter", "nobody hears it"],
  ])("is that login's 503, is logged with the backend's name, and ends nothing: %s", async (name, message) => {
    const gate = await start();
    expect(await statusOf(gate, name)).toBe(503);
    expect(await gate.logged(({ backend }) => backend === "people")).toMatchObject({
      level: "error",
      err: { message },
    });
    expect(await statusOf(gate, "alice")).toBe(200);
  });

  test("in code that logins share fails all logins in progress", async () => {
    const gate = await start();
    expect(await statusOf(gate, "shared")).toBe(503);
    expect(await gate.logged(({ msg }) => msg === "a backend threw an error that nobody caught")).toMatchObject({
      backend: "people",
      err: { message: "thrown by what logins share" },
    });
    expect(await statusOf(gate, "alice")).toBe(200);
  });

  test("after its response is logged, and changes nothing", async () => {
    const gate = await start();
    expect(await statusOf(gate, "afterwards")).toBe(200);
    expect(await gate.logged(({ msg }) => msg === "a backend threw an error that nobody caught")).toMatchObject({
      backend: "people",
      err: { message: "after the response" },
    });
    expect(await statusOf(gate, "alice")).toBe(200);
  });

  test("as the client leaves ends nothing", async () => {
    const gate = await start();
    const leaving = new AbortController();
    const login = fetch(`${gate.url}/v2/`, { headers: basic("left", "x"), signal: leaving.signal });
    await gate.logged(({ msg }) => msg === "is asked");
    leaving.abort();
    await expect(login).rejects.toThrow();
    await gate.logged(({ msg }) => msg === "hears of it");
    expect(await statusOf(gate, "alice")).toBe(200);
  });

  test("after a reload has closed it is logged, and ends nothing", async () => {
    const gate = await start();
    expect(await statusOf(gate, "alice")).toBe(200);
    gate.kill("SIGHUP");
    expect(await gate.logged(({ msg }) => msg === "a backend threw an error that nobody caught")).toMatchObject({
      backend: "people",
      err: { message: "thrown after it was closed" },
    });
    expect(await statusOf(gate, "alice")).toBe(200);
  });

  test("while it opens is logged, and the gate starts", async () => {
    const gate = await start({ atStart: true });
    expect(await gate.logged(({ backend }) => backend === "people")).toMatchObject({
      err: { message: "thrown while it opens" },
    });
    expect(await statusOf(gate, "alice")).toBe(200);
  });
});

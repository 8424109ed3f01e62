import { once } from "node:events";
import { chmod, lstat, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { run, runCommand } from "../support/run.ts";
import { runGate } from "./run-gate.ts";

const gates: RunningGate[] = [];

afterEach(async () => {
  for (const gate of gates.splice(0)) await gate.close();
});

function configurationOf(listen: object): object {
  return {
    listen: { address: "unix:gate.sock", ...listen },
    upstream: { url: "http://127.0.0.1:1" },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    // All clients are one.
    limits: { inFlightPerClient: 10_000 },
  };
}

async function start(listen: object): Promise<RunningGate> {
  const gate = await startGate({ configuration: configurationOf(listen), files: { htpasswd: "" } });
  gates.push(gate);
  return gate;
}

const nobody = 65_534;

/** What a client on a socket gets, as root or as a user in a group by their numbers; `refused` where it cannot connect. */
async function ping(path: string, as?: { uid: number; gid: number }): Promise<string> {
  const request = ["-s", "--unix-socket", path, "-o", "/dev/null", "-w", "%{http_code}", "http://localhost/v2/"];
  const { code, stdout } =
    as === undefined
      ? await runCommand("curl", request)
      : await runCommand("setpriv", [`--reuid=${as.uid}`, `--regid=${as.gid}`, "--clear-groups", "curl", ...request]);
  return code === 0 ? stdout : "refused";
}

async function access(path: string): Promise<{ mode: string; gid: number }> {
  const { mode, gid } = await lstat(path);
  return { mode: (mode & 0o777).toString(8), gid };
}

async function numberOf(group: string): Promise<number> {
  return Number(await run("sh", ["-c", `getent group ${group} | cut -d: -f3`]));
}

test("the file has the mode and group that are configured, and leaves nothing else behind", async () => {
  const gate = await start({ socketMode: "0660", socketGroup: "www-data" });
  const path = join(gate.directory, "gate.sock");
  const gid = await numberOf("www-data");
  expect(await access(path)).toEqual({ mode: "660", gid });
  await chmod(gate.directory, 0o755);
  expect(await ping(path, { uid: nobody, gid })).toBe("401");
  expect(await ping(path, { uid: nobody, gid: nobody })).toBe("refused");
  expect((await readdir(gate.directory)).toSorted()).toEqual(["gate.sock", "htpasswd", "registry-gate.yaml"]);
  gate.kill("SIGTERM");
  expect(await gate.ended).toBe(0);
  expect(await readdir(gate.directory)).not.toContain("gate.sock");
});

test("a reload changes mode and group, without a moment in which nobody can connect", async () => {
  const gate = await start({ socketMode: "0600" });
  const path = join(gate.directory, "gate.sock");
  let over = false;
  const statuses: string[] = [];
  const clients = [1, 2, 3, 4].map(async () => {
    while (!over) statuses.push(await ping(path));
  });
  for (const [mode, group] of [
    ["0660", nobody],
    ["0666", 0],
    ["0640", "www-data"],
  ] as const) {
    await gate.configure(configurationOf({ socketMode: mode, socketGroup: group }));
    const gid = typeof group === "number" ? group : await numberOf(group);
    await expect.poll(() => access(path)).toEqual({ mode: mode.slice(1), gid });
  }
  await gate.configure(configurationOf({ address: "unix:other.sock" }));
  await expect.poll(() => ping(join(gate.directory, "other.sock"))).toBe("401");
  over = true;
  await Promise.all(clients);
  await expect.poll(() => readdir(gate.directory)).not.toContain("gate.sock");
  // The last of them may have come when the old path was gone.
  const refused = statuses.indexOf("refused");
  const whole = refused === -1 ? statuses : statuses.slice(0, refused);
  expect(whole.length).toBeGreaterThan(10);
  expect(new Set(whole)).toEqual(new Set(["401"]));
});

test("a group that the gate's user is not in is refused", async () => {
  const gate = await start({});
  await writeFile(
    join(gate.directory, "other.yaml"),
    JSON.stringify(configurationOf({ address: "unix:other.sock", socketGroup: 0 })),
  );
  await chmod(gate.directory, 0o777);
  const { code, stderr } = await runGate(["serve", "--config", "other.yaml"], {
    directory: gate.directory,
    asNobody: true,
  });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr:
      "other.yaml: listen.socketGroup: no permission to set the socket's group to 0: " +
      "the gate's user must be a member of it\n",
  });
  expect(await readdir(gate.directory)).not.toContain("other.sock");
});

describe("a path in use", () => {
  test("by a socket that nobody listens on is used", async () => {
    const first = await start({});
    const path = join(first.directory, "gate.sock");
    first.kill("SIGKILL");
    await first.ended;
    expect((await lstat(path)).isSocket()).toBe(true);
    await start({ address: `unix:${path}` });
    expect(await ping(path)).toBe("401");
  });

  test("by a file that is no socket is refused, and the file left alone, for a shared one too", async () => {
    const gate = await start({});
    for (const shared of [false, true]) {
      await writeFile(
        join(gate.directory, "other.yaml"),
        JSON.stringify(configurationOf({ address: "unix:htpasswd", shared })),
      );
      const { code, stderr } = await runGate(["serve", "--config", "other.yaml"], { directory: gate.directory });
      expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("is in use") });
      expect(await readFile(join(gate.directory, "htpasswd"), "utf8")).toBe("");
    }
  });

  test("by another process is not taken away from it at the end", async () => {
    const gate = await start({});
    const path = join(gate.directory, "gate.sock");
    await rm(path);
    const other = createServer((socket) => void socket.end());
    other.listen(path);
    await once(other, "listening");
    gate.kill("SIGTERM");
    await gate.ended;
    expect((await lstat(path)).isSocket()).toBe(true);
    other.close();
  });
});

describe("a second process takes over under a stream of requests, and none of them is lost", () => {
  /** Hands over three times, from a first gate to others that listen as `listen` says. */
  async function handOver(first: RunningGate, listen: object, pingOnce: () => Promise<string>): Promise<void> {
    const statuses: string[] = [];
    let over = false;
    const clients = Array.from({ length: 4 }, async () => {
      while (!over) statuses.push(await pingOnce());
    });
    let running = first;
    for (let round = 0; round < 3; round++) {
      const next = await start(listen);
      running.kill("SIGTERM");
      expect(await running.ended).toBe(0);
      running = next;
    }
    const before = statuses.length;
    await expect.poll(() => statuses.length).toBeGreaterThan(before + 10);
    over = true;
    await Promise.all(clients);
    expect(new Set(statuses)).toEqual(new Set(["401"]));
  }

  test("on a shared path", async () => {
    const first = await start({ shared: true });
    const path = join(first.directory, "gate.sock");
    await handOver(first, { address: `unix:${path}`, shared: true }, () => ping(path));
  });

  test("on a shared port", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const first = await start({ address, shared: true });
    const parameters = ["-s", "-o", "/dev/null", "-w", "%{http_code}", `${first.url}/v2/`];
    await handOver(first, { address, shared: true }, async () => (await runCommand("curl", parameters)).stdout);
  });
});

test("a port is shared by a reload, and listened on alone again by a restart", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const gate = await start({ address });
  await gate.configure(configurationOf({ address, shared: true }));
  await gate.logged(({ event }) => event === "reloaded");
  const second = await start({ address, shared: true });
  await gate.configure(configurationOf({ address }));
  expect(await gate.logged(({ event }) => event === "reload refused")).toMatchObject({
    faults: ["listen.shared: cannot be removed by a reload while listen.address stays the same: restart the gate"],
  });
  for (const each of [gate, second]) expect((await fetch(`${each.url}/v2/`)).status).toBe(401);
});

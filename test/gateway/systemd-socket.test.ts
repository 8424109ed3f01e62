import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startable } from "../programs/startable.ts";
import { basic } from "../support/basic.ts";
import { makeCertificate } from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import { gateCommand } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { runCommand } from "../support/run.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

/** A socket that systemd has opened, and passes to one gate after the other. */

let directory: string;
let upstream: ScriptedUpstream;
let manager: ChildProcess | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rg-systemd-"));
  upstream = await startUpstream((_, response) => void response.end("{}"));
  await writeFile(join(directory, "htpasswd"), await passwordFile({ alice: "alice-password" }));
});

afterEach(async () => {
  await stop();
  await upstream.close();
  await rm(directory, { recursive: true, force: true });
});

async function stop(): Promise<void> {
  // The loop around the gate first, or it would start another one.
  if (manager?.exitCode === null && manager.signalCode === null) {
    const exited = once(manager, "exit");
    manager.kill("SIGKILL");
    await exited;
  }
  manager = undefined;
  const pid = await gatePid();
  if (pid !== undefined) kill(pid, "SIGKILL");
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** The process of the gate that was started last. */
async function gatePid(): Promise<number | undefined> {
  const text = await readFile(join(directory, "pid"), "utf8").catch(() => "");
  return text === "" ? undefined : Number(text);
}

function configure(listen: object): Promise<void> {
  const configuration = {
    listen,
    upstream: { url: upstream.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    log: { level: "info" },
  };
  return writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
}

/** Passed the socket, the shell keeps it, and starts another gate as soon as one has ended, as a service manager does. */
const loop = 'while :; do sh -c \'echo $$ > pid; LISTEN_PID=$$ exec "$@"\' sh "$@" >> log 2>&1; done';

/** Opens sockets with systemd's own program, which waits for the first connection. */
function activate(places: readonly string[], names?: string): void {
  const [program, ...parameters] = gateCommand;
  const command = ["/bin/sh", "-c", loop, "sh", program, ...parameters, "serve", "--config", "gate.yaml"];
  const listening = [
    ...places.map((place) => `--listen=${place}`),
    ...(names === undefined ? [] : [`--fdname=${names}`]),
  ];
  manager = spawn(startable("systemd-socket-activate"), [...listening, ...command], {
    cwd: directory,
    stdio: "ignore",
  });
}

type Target = { readonly port: number; readonly secure?: boolean } | { readonly socketPath: string };

/** The status of a request on a connection of its own; the error's code where it comes to nothing. */
function statusOf(target: Target): Promise<number | string> {
  return new Promise((resolve) => {
    const { authorization } = basic("alice", "alice-password");
    const headers = { authorization, connection: "close" };
    const request = "secure" in target && target.secure === true ? requestTls : requestPlain;
    const sent = request(
      {
        host: "127.0.0.1",
        rejectUnauthorized: false,
        ...target,
        path: "/v2/team/app/tags/list",
        headers,
        agent: false,
      },
      (got) => {
        got.resume();
        got.once("end", () => resolve(got.statusCode ?? 0));
        got.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
      },
    );
    sent.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
    sent.end();
  });
}

const untilActivated = (target: Target): Promise<void> => expect.poll(() => statusOf(target)).toBe(200);

test.each(["TCP", "TLS", "Unix"])("loses no request in a restart under load (%s)", async (kind) => {
  const port = await freePort();
  const [place, target] =
    kind === "Unix"
      ? [join(directory, "s"), { socketPath: join(directory, "s") }]
      : [`127.0.0.1:${port}`, { port, secure: kind === "TLS" }];
  if (kind === "TLS") await makeCertificate(directory);
  const tls = { certificate: "server.crt", key: "server.key" };
  await configure({ address: "systemd:", trustedProxies: ["unix:"], ...(kind === "TLS" && { tls }) });
  activate([place]);
  await untilActivated(target);
  const statuses: (number | string)[] = [];
  let over = false;
  const clients = Array.from({ length: 8 }, async () => {
    while (!over) statuses.push(await statusOf(target));
  });
  for (let round = 0; round < 3; round++) {
    const pid = (await gatePid()) ?? 0;
    await delay(300);
    kill(pid, "SIGTERM");
    await expect.poll(gatePid).not.toBe(pid);
    const before = statuses.length;
    await expect.poll(() => statuses.length).toBeGreaterThan(before + 50);
  }
  over = true;
  await Promise.all(clients);
  expect(new Set(statuses)).toEqual(new Set([200]));
  const log = await readFile(join(directory, "log"), "utf8");
  const name = "port" in target ? place : "systemd:";
  expect(log.match(/"event":"listening","address":"([^"]+)"/g)).toEqual(
    Array.from({ length: 4 }, () => `"event":"listening","address":"${name}"`),
  );
});

test("of several sockets the one of the configured name is taken, and another one by a reload", async () => {
  const ports = [await freePort(), await freePort()] as const;
  await configure({ address: "systemd:second" });
  activate(
    ports.map((port) => `127.0.0.1:${port}`),
    "first:second",
  );
  await untilActivated({ port: ports[1] });
  await configure({ address: "systemd:first" });
  await untilActivated({ port: ports[0] });
  // What has been given up is gone for good: its number may mean something else by now.
  await configure({ address: "systemd:second" });
  const log = (): Promise<string> => readFile(join(directory, "log"), "utf8");
  await expect.poll(log).toContain("an earlier reload closed the socket: restart the service");
  expect(await statusOf({ port: ports[0] })).toBe(200);
});

test("an address that systemd listens on for the gate is refused with how to take it", async () => {
  const [port, path] = [await freePort(), join(directory, "s")];
  for (const [place, address] of [
    [`127.0.0.1:${port}`, `127.0.0.1:${port}`],
    [path, `unix:${path}`],
  ] as const) {
    await configure({ address });
    activate([place]);
    // The gate is not started before somebody connects.
    const target = place === path ? { socketPath: path } : { port };
    const knock = (): Promise<string> => {
      void statusOf(target);
      return readFile(join(directory, "log"), "utf8").catch(() => "");
    };
    const message = `${address} is in use; for the socket that systemd has passed, write systemd:`;
    await expect.poll(knock).toContain(message);
    await stop();
  }
});

describe("a socket is refused", () => {
  const own = String(process.pid);
  test.each([
    [
      "where none was passed",
      "systemd:",
      {},
      "no socket was passed to this process: start it from a systemd socket unit",
    ],
    [
      "that was passed to another process",
      "systemd:",
      { LISTEN_FDS: "1", LISTEN_PID: own },
      `the socket was passed to the process ${own}, and this is \\d+: the service has to start registry-gate itself`,
    ],
  ])("%s", async (_, address, environment, message) => {
    await configure({ address });
    const [program, ...parameters] = gateCommand;
    const command = [...parameters, "serve", "--config", "gate.yaml"];
    const { code, stderr } = await runCommand(program, command, { directory, environment });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^gate\\.yaml: listen\\.address: ${message}`));
  });
});

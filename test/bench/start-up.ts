import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../support/free-port.ts";
import { gateCommand } from "../support/gate.ts";
import { builtGate } from "./built-gate.ts";
import { atMost, type Findings } from "./findings.ts";
import { startFixedRegistry } from "./fixed-registry.ts";
import { loginOf, passwordFile } from "./proxies.ts";
import { manifestPath } from "./reads.ts";
import type { Scale } from "./scale.ts";

/** From the start of the process to the end of the first response, in milliseconds. */
const most = 300;
const starts = 9;

/** How soon `serve` responds to a request with a login: as it is installed, and from a checkout. */
export async function startUp({ quick, progress, leavesOut }: Scale): Promise<Findings> {
  const registry = await startFixedRegistry("/nowhere");
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-start-"));
  const [, ...built] = builtGate;
  const [, ...fromSource] = gateCommand;
  const ways = { "as installed": built, "from a checkout": fromSource };
  const samples: Record<keyof typeof ways, number[]> = { "as installed": [], "from a checkout": [] };
  try {
    await writeFile(join(directory, "htpasswd"), await passwordFile("bcrypt 5"));
    const names = leavesOut ? (["as installed"] as const) : (["as installed", "from a checkout"] as const);
    // The first of each compiles what the others find compiled.
    for (let round = -1; round < (quick ? 5 : starts); round++) {
      for (const name of names) {
        progress(name);
        const time = await timeToRespond(ways[name], directory, registry.url);
        if (round >= 0) samples[name].push(time);
      }
    }
    return {
      id: "start-up",
      title: "Start of serve, to the first response to a request with a login (a password file with bcrypt 5)",
      columns: [{ id: "time", label: "ms", digits: 0, better: "less" }],
      rows: names.map((name) => ({ name, own: true, samples: { time: samples[name] } })),
      limits: names.map((name) => atMost(most, `ms, ${name}`, samples[name])),
    };
  } finally {
    await registry.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function timeToRespond(parameters: readonly string[], directory: string, registry: string): Promise<number> {
  const port = await freePort();
  const configuration = {
    listen: { address: `127.0.0.1:${port}` },
    upstream: { url: registry },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
  };
  await writeFile(join(directory, "registry-gate.yaml"), JSON.stringify(configuration));
  // A file that has just been written is read when it has been left alone for a while.
  await delay(150);
  const environment = { ...process.env, XDG_CACHE_HOME: directory };
  const started = performance.now();
  const child = spawn(process.execPath, [...parameters, "serve", "--config", "registry-gate.yaml"], {
    cwd: directory,
    env: environment,
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}`);
      if (await responds(port)) return performance.now() - started;
      await delay(2);
    }
  } finally {
    child.kill("SIGTERM");
    await exited;
  }
}

function responds(port: number): Promise<boolean> {
  return new Promise((done, reject) => {
    const options = { host: "127.0.0.1", port, path: manifestPath, headers: loginOf(), agent: false };
    const request = get(options, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`serve responded with ${response.statusCode}`));
      response.resume().once("end", () => done(true));
    });
    request.once("error", () => done(false));
  });
}

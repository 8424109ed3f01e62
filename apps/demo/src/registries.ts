import { execFile, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { startEmbeddedRegistry } from "@registry-gate/embedded-registry";

/** The registry behind the demo's gate. */
export interface DemoRegistry {
  readonly url: string;
  /** Which one it is, for the guide. */
  readonly description: string;
  close(): Promise<void>;
}

/** Names under which the distribution's registry is installed. */
const programs = ["registry", "docker-registry"];

/** Starts a registry that is installed on this machine, or else the embedded one. */
export async function startRegistry(directory: string): Promise<DemoRegistry> {
  for (const program of programs) {
    if (await isDistribution(program)) return startProgram(program, directory);
  }
  const embedded = await startEmbeddedRegistry();
  return { url: embedded.url, description: "the embedded registry, which forgets everything", close: embedded.close };
}

/**
 * A registry that runs already.
 *
 * @throws {Error} where it does not respond.
 */
export async function runningRegistry(url: string): Promise<DemoRegistry> {
  if (!URL.canParse(url)) throw new Error(`${url} is not a URL, such as http://localhost:5000`);
  try {
    await fetch(new URL("/v2/", url));
  } catch (error) {
    const { message, cause } = error instanceof Error ? error : new Error(String(error));
    throw new Error(`${url} does not respond: ${cause instanceof Error ? cause.message : message}`);
  }
  return { url, description: url, close: async () => {} };
}

/** A program called `registry` may be anything. */
async function isDistribution(program: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)(program, ["--version"], { timeout: 5000 });
    return stdout.includes("distribution");
  } catch {
    return false;
  }
}

async function startProgram(program: string, directory: string): Promise<DemoRegistry> {
  const port = await freePort();
  const file = join(directory, "registry.yml");
  const configuration = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, "data") }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
  };
  // JSON is YAML too.
  await writeFile(file, JSON.stringify(configuration));
  // In a process group of its own: Ctrl-C is for the demo, which ends the registry after the gate.
  const child = spawn(program, ["serve", file], { stdio: ["ignore", "ignore", "inherit"], detached: true });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const close = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  const url = `http://127.0.0.1:${port}`;
  const answered = await Promise.race([responses(url), ended.then(() => false)]);
  if (!answered) {
    await close();
    throw new Error(`${program} does not respond`);
  }
  return { url, description: `${program}, found on this machine; its content goes when the demo ends`, close };
}

async function responses(url: string): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      await fetch(`${url}/v2/`);
      return true;
    } catch {
      await delay(100);
    }
  }
  return false;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RunningServer } from "../support/logged-server.ts";
import { startLoggedServer } from "../support/logged-server.ts";

const gateway = fileURLToPath(new URL("../../apps/gateway/src/main.ts", import.meta.url));

export interface RunningGate extends RunningServer {
  readonly username: string;
  readonly password: string;
}

/** Starts the gate in front of the registry at `upstream` (`host:port`), with one user who may do everything. */
export async function startGate(upstream: string, directory: string): Promise<RunningGate> {
  const username = "conformance";
  const password = randomBytes(12).toString("base64url");
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: `http://${upstream}` },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*"] }],
  };
  await writeFile(join(directory, "htpasswd"), await passwordEntry(username, password));
  const file = join(directory, "registry-gate.yaml");
  // JSON is YAML too.
  await writeFile(file, JSON.stringify(configuration));
  const server = await startLoggedServer({
    command: process.execPath,
    parameters: ["--conditions=development", gateway, "serve", "--config", file],
    directory,
    log: "stdout",
    addressIn: ({ event, address }) => (event === "listening" && typeof address === "string" ? address : undefined),
    whenMissing: "this Node has moved",
  });
  return { ...server, username, password };
}

async function passwordEntry(username: string, password: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("htpasswd", ["-bnB", "-C", "5", username, password]);
    return stdout;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new Error("htpasswd is missing: install the Debian package apache2-utils");
    }
    throw error;
  }
}

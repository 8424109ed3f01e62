import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { startedIndirectly } from "../programs/startable.ts";
import { gateCommand } from "../support/gate.ts";
import { type ReadServer, startLoggedServer } from "../support/logged-server.ts";

startedIndirectly("systemd-notify");

let directory: string;
let gate: ReadServer | undefined;

afterEach(async () => {
  await gate?.close();
  gate = undefined;
  await rm(directory, { recursive: true, force: true });
});

/** Starts a gate in an environment. */
async function start(environment: Readonly<Record<string, string>>): Promise<ReadServer> {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-notify-"));
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: "http://127.0.0.1:9" },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
  };
  await writeFile(join(directory, "registry-gate.yaml"), JSON.stringify(configuration));
  await writeFile(join(directory, "htpasswd"), "");
  const [command, ...before] = gateCommand;
  gate = await startLoggedServer({
    command,
    parameters: [...before, "serve", "--config", "registry-gate.yaml"],
    directory,
    environment,
    log: "stdout",
    addressIn: ({ event, address }) => (event === "listening" && typeof address === "string" ? address : undefined),
  });
  return gate;
}

describe("a gate that cannot notify its service manager", () => {
  test.each([
    ["systemd-notify is missing", { NOTIFY_SOCKET: "/nowhere/notify", PATH: "/nowhere" }, "not found"],
    ["nobody reads the socket", { NOTIFY_SOCKET: "/nowhere/notify" }, "No such file or directory"],
  ])("says why in one line where %s, and serves", async (_, environment, reason) => {
    const running = await start(environment);
    await expect.poll(() => running.besideLog()).toContain(reason);
    running.kill("SIGHUP");
    await running.logged(({ event }) => event === "reloaded");
    expect((await fetch(`http://${running.address}/v2/`)).status).toBe(401);
    running.kill("SIGTERM");
    expect(await running.ended).toBe(0);
    const lines = running.besideLog().trim().split("\n");
    expect(lines).toEqual([
      expect.stringMatching(/^registry-gate: cannot notify the service manager with systemd-notify: /),
    ]);
  });

  test("is not looked for where there is none", async () => {
    const running = await start({ NOTIFY_SOCKET: "", PATH: "/nowhere" });
    running.kill("SIGTERM");
    expect(await running.ended).toBe(0);
    expect(running.besideLog()).toBe("");
  });
});

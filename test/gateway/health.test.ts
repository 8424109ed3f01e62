import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { makeCertificate } from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type CommandResult, runCommand } from "../support/run.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { runGate } from "./run-gate.ts";

let upstream: ScriptedUpstream;
let users: string;
beforeAll(async () => {
  upstream = await startUpstream((_, response) => {
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    response.end("{}");
  });
  users = await passwordFile({ alice: "alice-password" });
});
afterAll(() => upstream.close());

const installed = fileURLToPath(new URL("../../apps/gateway/src/registry-gate.ts", import.meta.url));

/** As it is installed, where it does without the other commands. */
function health(parameters: readonly string[], directory?: string): Promise<CommandResult> {
  const command = ["--conditions=development", installed, "health", ...parameters];
  return runCommand(process.execPath, command, directory === undefined ? {} : { directory });
}

async function start(changes: object, files: Readonly<Record<string, string>> = {}): Promise<RunningGate> {
  const gate = await startGate({
    configuration: {
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      ...changes,
    },
    files: { htpasswd: users, ...files },
  });
  onTestFinished(() => gate.close());
  return gate;
}

const byConfiguration = ["--config", "registry-gate.yaml"];
const ready = { code: 0, stdout: "ready\n", stderr: "" };

describe("registry-gate health", () => {
  test("lets no response control the terminal", async () => {
    const server = await startUpstream((_, response) => response.end("\u001b[2J\u009b2Jready\u202e"));
    onTestFinished(() => server.close());
    expect(await health(["--url", server.url])).toEqual({ ...ready, stdout: "\ufffd[2J\ufffd2Jready\ufffd\n" });
  });

  test("says so where the server switches protocols", async () => {
    const server = await startUpstream(({ socket }) => {
      socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
    });
    onTestFinished(() => server.close());
    const failed = { code: 1, stdout: "", stderr: "registry-gate: the server switched protocols\n" };
    expect(await health(["--url", server.url])).toEqual(failed);
  });

  test("asks the admin listener, also through main.ts, by its address, and by a URL", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const gate = await start({ listen: { address: "127.0.0.1:0" }, admin: { address, drainDelay: "1h" } });
    expect(await health(byConfiguration, gate.directory)).toEqual(ready);
    expect(await runGate(["health", ...byConfiguration], { directory: gate.directory })).toEqual(ready);
    expect(await health(["--url", `http://${address}`])).toEqual(ready);
    expect(await health(["--url", `http://${address}/livez`])).toEqual({ ...ready, stdout: "ok\n" });
    gate.kill("SIGTERM");
    await gate.logged(({ event }) => event === "drain delay");
    expect(await health(byConfiguration, gate.directory)).toEqual({
      code: 1,
      stdout: "",
      stderr: "registry-gate: not ready: gate (stopping)\n",
    });
  });

  test("asks a Unix socket, whose path is relative to the configuration", async () => {
    const admin = { address: "unix:admin.sock", drainDelay: "0s" };
    const gate = await start({ listen: { address: "127.0.0.1:0" }, admin });
    expect(await health(["--config", join(gate.directory, "registry-gate.yaml")])).toEqual(ready);
    expect(await health(["--url", `unix:${join(gate.directory, "admin.sock")}`])).toEqual(ready);
  });

  test("without an admin listener asks listen.healthPath, over TLS with any certificate", async () => {
    const { certificate, key } = await makeCertificate();
    const address = `0.0.0.0:${await freePort()}`;
    const gate = await start({ listen: { address, tls: { certificate, key }, healthPath: "/healthz" } });
    expect(await health(byConfiguration, gate.directory)).toEqual({ code: 0, stdout: "ok\n", stderr: "" });
  });

  test("without a path of health checks it is enough that the gate listens", async () => {
    const { certificate, key } = await makeCertificate();
    const address = await freePort();
    const gate = await start({ listen: { address, tls: { certificate, key } } });
    expect(await health(byConfiguration, gate.directory)).toEqual({ code: 0, stdout: "listening\n", stderr: "" });
    await gate.close();
  });

  test("finds the gate where its configuration was broken since", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const gate = await start({ listen: { address: "127.0.0.1:0" }, admin: { address, drainDelay: "0s" } });
    await gate.put(
      "registry-gate.yaml",
      `admin: { address: "${address}" }\nlisten: [ "\nlog: { level: \${CANARY_UNSET} }`,
    );
    await gate.logged(({ event }) => event === "reload refused");
    expect(await health(byConfiguration, gate.directory)).toEqual(ready);
  });

  test("fails in a line where nobody listens, and where it cannot know where", async () => {
    const port = await freePort();
    expect(await health(["--url", `http://127.0.0.1:${port}/readyz`])).toEqual({
      code: 1,
      stdout: "",
      stderr: `registry-gate: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    });
    expect(await health(["--config", "/nonexistent/gate.yaml"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^registry-gate: cannot read \/nonexistent\/gate\.yaml: ENOENT[^\n]*\n$/),
    });
    const gate = await start({ listen: { address: "127.0.0.1:0" } });
    expect(await health(byConfiguration, gate.directory)).toEqual({
      code: 1,
      stdout: "",
      stderr: "registry-gate: the configuration does not say where listen can be reached; use --url\n",
    });
  });

  test("gives up on a gate that does not respond", async () => {
    const silent = await startUpstream(() => {});
    onTestFinished(() => silent.close());
    expect(await health(["--url", silent.url])).toEqual({
      code: 1,
      stdout: "",
      stderr: "registry-gate: no response in time\n",
    });
  });

  test.each([
    [["--url", "ftp://x"], "--url must be http://…, https://… or unix:/path"],
    [["--url", "http://x", "--config", "y"], "--config and --url exclude each other"],
    [["now"], "unexpected now"],
  ])("refuses %j with its usage", async (parameters, message) => {
    expect(await health(parameters)).toEqual({
      code: 2,
      stdout: "",
      stderr: `registry-gate: health: ${message}\n\nusage: registry-gate health [--config FILE | --url URL]\n`,
    });
  });

  test("shows its help", async () => {
    const { code, stdout } = await health(["--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("It is made for HEALTHCHECK.");
  });
});

test("a plain connect of health leaves nothing in the log of a gate with TLS", async () => {
  const { certificate, key } = await makeCertificate();
  const address = await freePort();
  const gate = await start({ listen: { address, tls: { certificate, key } } });
  for (let count = 0; count < 3; count++) expect((await health(byConfiguration, gate.directory)).code).toBe(0);
  const { status } = await fetch(`https://127.0.0.1:${address}/v2/`, {
    headers: basic("alice", "alice-password"),
  }).catch(() => ({ status: "untrusted" }));
  expect(status).toBe("untrusted");
  await gate.logged(({ event }) => event === "handshake failed");
  expect(gate.lines().filter(({ event }) => event === "handshake failed")).toHaveLength(1);
});

import { createHash } from "node:crypto";
import { request } from "node:http";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { closingStack } from "../support/closing-stack.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { freePort } from "../support/free-port.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Systemd, startSystemd } from "../support/systemd.ts";
import { installedCommand, systemdFile } from "./units.ts";

const workspace = resolve(import.meta.dirname, "../..");
const service = "registry-gate.service";
const outputFile = "/run/registry-gate.log";
const registryPassword = "the registry's own";

const { keep, close } = closingStack();
let registry: DockerRegistry;
let systemd: Systemd;
let origin: string;

const configuration = (access: object[]): string =>
  JSON.stringify({
    listen: { address: "systemd:" },
    // The password is root's own: the gate has it as a credential.
    upstream: {
      url: registry.url,
      credentials: { username: "gate", passwordFile: "${CREDENTIALS_DIRECTORY}/registry-password" },
    },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    state: { file: "/var/lib/registry-gate/state.db" },
    access,
  });
const pushers = [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull", "push"] }];

beforeAll(async () => {
  registry = await keep(startDockerRegistry({}, await passwordFile({ gate: registryPassword })));
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  const lib = "/etc/systemd/system";
  systemd = await keep(
    startSystemd({
      places: { "/opt/workspace": workspace, "/opt/bin/node": process.execPath },
      files: {
        // The command as `npm install` makes it, but from source.
        "/opt/bin/registry-gate": `#!/bin/sh
exec /opt/bin/node --conditions=development /opt/workspace/apps/gateway/src/main.ts "$@"
`,
        [`${lib}/${service}`]: (await systemdFile(service)).replace(
          `ExecStart=${installedCommand} `,
          "ExecStart=/bin/sh /opt/bin/registry-gate ",
        ),
        [`${lib}/registry-gate.socket`]: await systemdFile("registry-gate.socket"),
        // Another port than 443, and a watchdog that a test can wait for.
        [`${lib}/registry-gate.socket.d/port.conf`]: `[Socket]\nListenStream=\nListenStream=127.0.0.1:${port}\n`,
        [`${lib}/${service}.d/test.conf`]: `[Service]
WatchdogSec=10
StandardOutput=append:${outputFile}
StandardError=append:${outputFile}
LoadCredential=registry-password:/etc/registry-gate/secrets/registry-password
`,
        "/opt/lib/sysusers.conf": await systemdFile("sysusers.conf"),
        "/opt/lib/tmpfiles.conf": await systemdFile("tmpfiles.conf"),
        "/etc/registry-gate/registry-gate.yaml": configuration(pushers),
        "/etc/registry-gate/htpasswd": await passwordFile({ alice: "alicepassword" }),
        "/etc/registry-gate/secrets/registry-password": registryPassword,
      },
    }),
  );
});

afterAll(() => close());

async function property(name: string): Promise<string> {
  const { stdout } = await systemd.inside(["systemctl", "show", "--value", "--property", name, service]);
  return stdout.trim();
}

/** The process of the gate. */
async function mainProcess(): Promise<string> {
  const pid = await property("MainPID");
  // 0 means the whole group to `kill`.
  if (Number(pid) < 2) throw new Error(`the service does not run:\n${await gateOutput()}`);
  return pid;
}

/** Waits until a property of the service has a value that is as wanted. */
async function until(name: string, wanted: RegExp): Promise<void> {
  await expect.poll(() => property(name)).toMatch(wanted);
}

/** Runs a command of systemd, and shows what the service wrote where it fails. */
async function succeed(...command: [string, ...string[]]): Promise<string> {
  const { code, stdout, stderr } = await systemd.inside(command);
  if (code !== 0) throw new Error(`${command.join(" ")}: ${stderr}${stdout}\n${systemd.output()}${await gateOutput()}`);
  return stdout.trim();
}

async function gateOutput(): Promise<string> {
  return (await systemd.inside(["cat", outputFile])).stdout;
}

function writeConfiguration(text: string): Promise<string> {
  const encoded = Buffer.from(text).toString("base64");
  const file = "/etc/registry-gate/registry-gate.yaml";
  // At one stroke: the gate follows the file.
  return succeed(
    "sh",
    "-c",
    `echo ${encoded} | base64 -d > ${file}.new && chmod 644 ${file}.new && mv ${file}.new ${file}`,
  );
}

const login = basic("alice", "alicepassword");
const get = (path: string): Promise<Response> => fetch(new URL(path, origin), { headers: login });

/** The status of a response on a connection of its own, or the error instead of one. */
function statusOfNewConnection(): Promise<number | string> {
  return new Promise((resolve) => {
    request(new URL("/v2/", origin), { agent: false, headers: login }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    })
      .once("error", (error) => resolve(error.message))
      .end();
  });
}

async function pushBlob(content: string): Promise<number> {
  const start = await fetch(new URL("/v2/team/app/blobs/uploads/", origin), { method: "POST", headers: login });
  const place = new URL(start.headers.get("location") ?? "", origin);
  place.searchParams.set("digest", `sha256:${createHash("sha256").update(content).digest("hex")}`);
  const headers = { ...login, "content-type": "application/octet-stream" };
  return (await fetch(place, { method: "PUT", headers, body: content })).status;
}

describe("under systemd, as the units and the files beside them say,", () => {
  test("the user and the folders are made, and the keys and passwords are the gate's to read alone", async () => {
    await succeed("systemd-sysusers", "/opt/lib/sysusers.conf");
    await succeed("systemd-tmpfiles", "--create", "/opt/lib/tmpfiles.conf");
    const modes = await succeed(
      ...(["stat", "--format=%a %U %G %n", "/etc/registry-gate", "/etc/registry-gate/htpasswd"] as const),
      "/etc/registry-gate/secrets",
    );
    expect(modes.split("\n")).toEqual([
      "750 root registry-gate /etc/registry-gate",
      "640 root registry-gate /etc/registry-gate/htpasswd",
      "700 root root /etc/registry-gate/secrets",
    ]);
  });

  test("the first connection to the socket starts the gate, which says that it is ready", async () => {
    await succeed("systemctl", "start", "registry-gate.socket");
    expect(await property("ActiveState")).toBe("inactive");
    const response = await get("/v2/");
    // The registry asks for a login of its own, so the gate had the credential.
    expect(response.status).toBe(200);
    await until("ActiveState", /^active$/);
    await until("StatusText", /^listening on /);
  });

  test("a push reaches the registry from a process that is not root and has no capability", async () => {
    expect(await pushBlob("content")).toBe(201);
    const status = await succeed("cat", `/proc/${await mainProcess()}/status`);
    expect(status).toMatch(/^Uid:\t(?!0\b)(\d+)\t\1\t\1\t\1$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(await succeed("stat", "--format=%a %U", "/var/lib/registry-gate")).toBe("700 registry-gate");
  });

  test("systemctl reload puts a new configuration in force, and says so", async () => {
    await writeConfiguration(configuration([]));
    await succeed("systemctl", "reload", service);
    await until("StatusText", /configuration reloaded at /);
    await until("ActiveState", /^active$/);
    await expect.poll(async () => (await get("/v2/team/app/tags/list")).status).toBe(403);
  });

  test("a reload of an invalid configuration leaves the service active, and the status says that it was rejected", async () => {
    await writeConfiguration('{"listen":{"address":"systemd:"},"unknown":1}');
    await succeed("systemctl", "reload", service);
    await until("StatusText", /reload rejected, keeping the running configuration/);
    await until("ActiveState", /^active$/);
    expect((await get("/v2/")).status).toBe(200);
    await writeConfiguration(configuration(pushers));
    await until("StatusText", /configuration reloaded at /);
  });

  test("a restart refuses no connection", async () => {
    const before = await property("MainPID");
    let restarting = true;
    const statuses = (async () => {
      const seen = new Set<number | string>();
      do seen.add(await statusOfNewConnection());
      while (restarting);
      return seen;
    })();
    await succeed("systemctl", "restart", service);
    restarting = false;
    expect([...(await statuses)]).toEqual([200]);
    expect(await property("MainPID")).not.toBe(before);
  });

  test("a gate whose event loop stands still is replaced by the watchdog", async () => {
    const before = await mainProcess();
    await succeed("kill", "-STOP", before);
    await until("NRestarts", /^[1-9]/);
    await until("ActiveState", /^active$/);
    expect(await property("MainPID")).not.toBe(before);
    expect((await get("/v2/")).status).toBe(200);
  });

  test("a stop ends the gate as a success", async () => {
    await succeed("systemctl", "stop", "registry-gate.socket", service);
    expect(await property("ActiveState")).toBe("inactive");
    expect(await property("Result")).toBe("success");
  });
});

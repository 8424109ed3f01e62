import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type CertificateFiles, makeCertificate } from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import type { LogLine } from "../support/logged-server.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

/** Responses that the upstream has begun and not ended: those to `team/slow`. */
let held: ServerResponse[];
let upstream: ScriptedUpstream;
let gate: RunningGate;

let passwords: string;
let certificates: CertificateFiles;

const backends = [{ type: "htpasswd", file: "htpasswd" }];
const alice = { headers: basic("alice", "alice-password") };
const bob = { headers: basic("bob", "bob-password") };
const manifest = "/v2/team/app/manifests/latest";

beforeAll(async () => {
  passwords = await passwordFile({ alice: "alice-password", bob: "bob-password" });
  certificates = await makeCertificate();
});

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
    files: { htpasswd: passwords },
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
    auth: { backends },
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

test("applies a changed file without a signal", async () => {
  expect([await status(alice), await status(bob)]).toEqual([200, 403]);
  await gate.configure(configuration(forBob));
  await reloaded(1);
  expect([await status(alice), await status(bob)]).toEqual([403, 200]);
});

test("keeps counts of failed logins across a reload", async () => {
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

test("rejects an invalid configuration with its keys and keeps the running one; applies the next valid one", async () => {
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

test("finishes a request in flight under the configuration that it began with", async () => {
  const response = await fetch(`${gate.url}/v2/team/slow/manifests/latest`, alice);
  expect(response.status).toBe(200);
  await gate.configure(configuration(forBob));
  await reloaded(1);
  expect(await status(alice)).toBe(403);
  held[0]?.end("second half");
  expect(await response.text()).toBe("first half, second half");
});

test("warnings are logged again after a reload, although the address stays", async () => {
  const warned = (text: string): Promise<unknown> =>
    gate.logged(({ event, msg }) => event === "warning" && String(msg).startsWith(text));
  await gate.configure(configuration({ auth: { backends, throttle: false } }));
  await warned("auth.throttle: ");
  await gate.configure(configuration({ listen: { address: "127.0.0.1:0", trustedProxies: ["0.0.0.0/0"] } }));
  await warned("listen.trustedProxies: ");
  expect(gate.lines().filter(({ event }) => event === "listening")).toHaveLength(1);
});

describe("a configuration that was rejected for a missing file is applied when the file appears", () => {
  const refusals = (): readonly LogLine[] => gate.lines().filter(({ event }) => event === "reload refused");

  test.each<[what: string, file: string, changes: () => object, fault: string]>([
    [
      "a password file",
      "passwords",
      () => ({ auth: { backends: [{ type: "htpasswd", file: "passwords" }] } }),
      "auth.b",
    ],
    [
      "the registry's certificate authority",
      "ca.crt",
      () => ({ upstream: { url: upstream.url, ca: "ca.crt" } }),
      "ups",
    ],
  ])("%s", async (_, file, changes, fault) => {
    await gate.configure(configuration({ ...forBob, ...changes() }));
    await gate.logged(({ event }) => event === "reload refused");
    expect([await status(alice), await status(bob)]).toEqual([200, 403]);
    const content = file === "ca.crt" ? await readFile(certificates.authority, "utf8") : passwords;
    // Time for another attempt, which says nothing new.
    await delay(2500);
    await gate.put(file, content);
    await reloaded(1);
    expect([await status(alice), await status(bob)]).toEqual([403, 200]);
    expect(refusals()).toEqual([expect.objectContaining({ faults: [expect.stringContaining(fault)] })]);
  });

  test("a certificate and its key, one after the other, with one log line each", async () => {
    const tls = { certificate: "server.crt", key: "server.key" };
    await gate.configure(configuration({ listen: { address: "127.0.0.1:0", tls } }));
    await gate.logged(({ event }) => event === "reload refused");
    await gate.put("server.crt", await readFile(certificates.certificate, "utf8"));
    await gate.logged(({ event, faults }) => event === "reload refused" && !String(faults).includes("server.crt"));
    await gate.put("server.key", await readFile(certificates.key, "utf8"));
    await gate.logged(({ event, tls }) => event === "listening" && tls === true);
    expect(refusals()).toHaveLength(2);
  });

  test("the directory of a Unix socket", async () => {
    await gate.configure(configuration({ listen: { address: "unix:run/gate.sock" } }));
    await gate.logged(({ event }) => event === "reload refused");
    await mkdir(join(gate.directory, "run"));
    await gate.logged(({ event, address }) => event === "listening" && String(address).endsWith("/run/gate.sock"));
  });

  test("but not if another one has been applied by then", async () => {
    await gate.configure(configuration({ ...forBob, upstream: { url: upstream.url, ca: "ca.crt" } }));
    await gate.logged(({ event }) => event === "reload refused");
    await gate.configure(configuration());
    await reloaded(1);
    await gate.put("ca.crt", await readFile(certificates.authority, "utf8"));
    await delay(2500);
    expect([await status(alice), await status(bob)]).toEqual([200, 403]);
    expect(gate.lines().filter(({ event }) => event === "reloaded")).toHaveLength(1);
  });
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

import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import { passwordFile } from "../support/password-file.ts";
import { run } from "../support/run.ts";
import { runGate } from "./run-gate.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "bad-input-"));
  await writeFile(join(directory, "htpasswd"), await passwordFile({ testuser: "testpassword" }));
  for (const name of ["one", "two"]) {
    const { certificate, key } = await makeCertificate(directory);
    await copyFile(certificate, join(directory, `${name}.crt`));
    await copyFile(key, join(directory, `${name}.key`));
  }
  const passphrase = ["-aes256", "-passout", "pass:secret"];
  await run("openssl", ["pkey", "-in", "one.key", ...passphrase, "-out", "encrypted.key"], { cwd: directory });
  await writeFile(join(directory, "empty.pem"), "");
  await mkdir(join(directory, "folder"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const good = {
  listen: { address: "127.0.0.1:0" },
  upstream: { url: "http://127.0.0.1:1" },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
};

let files = 0;

/** Writes a configuration, and gives its name relative to the directory. */
async function configuration(content: object | string): Promise<string> {
  const name = `gate-${++files}.yaml`;
  await writeFile(join(directory, name), typeof content === "string" ? content : JSON.stringify(content));
  return name;
}

const tls = (certificate: string, key: string, more: object = {}) => ({
  ...good,
  listen: { ...good.listen, tls: { certificate, key, ...more } },
});

const cases: [string, object | string, string[]][] = [
  [
    "broken YAML",
    "listen: {",
    ["line 1, column 10: Flow map in block collection must be sufficiently indented and end with a }"],
  ],
  ["an unknown key", { ...good, acess: [] }, ["acess: is not a known key; did you mean access?"]],
  [
    "faults of every kind at once",
    {
      acess: [],
      listen: { address: "127.0.0.1:0", tls: { certificate: "missing.crt", key: "one.key" }, trustedProxies: ["all"] },
      upstream: { url: "registry:5000", readTimeout: 1 },
      auth: { backends: [{ type: "htpasswd", file: "missing" }, { type: "no-such-backend" }, { file: "x" }] },
      access: [{ subjects: ["everybody"], repositories: ["a//b"], actions: ["pull"] }, { actions: ["psuh"] }],
    },
    [
      "upstream.readTimeout: must be a duration",
      "auth.backends[2].type: is required",
      "access[1].subjects: is required",
      "access[1].repositories: is required",
      "access[1].actions[0]: must be pull, push, delete or *",
      "acess: is not a known key; did you mean access?",
      "upstream.url: must begin with http:// or https://",
      "listen.trustedProxies[0]: must be an IP address",
      "access[0].subjects[0]: must be anonymous, authenticated, user:NAME or group:NAME",
      "access[0].repositories[0]: must not have an empty path segment",
      "listen.tls.certificate: no such file: ",
      "auth.backends[0].file: no such file: ",
      "auth.backends[1].type: is neither a known backend",
    ],
  ],
  ["a wrong type", { ...good, upstream: { url: 5000 } }, ["upstream.url: must be text"]],
  ["a bad URL", { ...good, upstream: { url: "registry:5000" } }, ["upstream.url: must begin with http:// or https://"]],
  [
    "a URL with a path",
    { ...good, upstream: { url: "http://registry/v2/" } },
    ["upstream.url: must end after the host and port: a registry is always at /v2/"],
  ],
  [
    "a missing password file",
    { ...good, auth: { backends: [{ type: "htpasswd", file: "nowhere" }] } },
    ["auth.backends[0].file: no such file"],
  ],
  [
    "an unknown option of a backend",
    { ...good, auth: { backends: [{ type: "htpasswd", file: "htpasswd", files: 1 }] } },
    ["auth.backends[0].files: is not a known key; did you mean file?"],
  ],
  [
    "an unknown backend",
    { ...good, auth: { backends: [{ type: "htpaswd", file: "htpasswd" }] } },
    [
      "auth.backends[0].type: is neither a known backend (htpasswd, ldap, sso-header, sso-jwt, passport, portal-users, access-token) nor an installed package; did you mean htpasswd?",
    ],
  ],
  ["a missing certificate", tls("nowhere.crt", "one.key"), ["listen.tls.certificate: no such file"]],
  ["a key of another certificate", tls("one.crt", "two.key"), ["listen.tls.key: does not belong to the certificate"]],
  [
    "a key under a passphrase",
    tls("one.crt", "encrypted.key"),
    ["listen.tls.key: is encrypted; use a key without a passphrase"],
  ],
  [
    "a certificate and a key that are neither",
    tls("empty.pem", "empty.pem"),
    ["listen.tls.certificate: holds no usable certificate", "listen.tls.key: holds no usable private key"],
  ],
  ["an empty certificate", tls("empty.pem", "one.key"), ["listen.tls.certificate: holds no usable certificate"]],
  ["a directory for a key", tls("one.crt", "folder"), ["listen.tls.key: is a directory"]],
  [
    "authorities that are missing",
    tls("one.crt", "one.key", { clientCa: "nowhere.pem" }),
    ["listen.tls.clientCa: no such file"],
  ],
  [
    "authorities that are none",
    tls("one.crt", "one.key", { clientCa: "one.key" }),
    ["listen.tls.clientCa: holds no usable certificate"],
  ],
  [
    "clients' certificates without authorities",
    tls("one.crt", "one.key", { clientAuth: "required" }),
    ["listen.tls.clientAuth: is required, but listen.tls.clientCa is missing"],
  ],
  [
    "ciphers that OpenSSL does not know",
    tls("one.crt", "one.key", { ciphers: "ECDHE-RSA-AES1024" }),
    ["listen.tls.ciphers: contains no cipher that OpenSSL knows"],
  ],
  [
    "ciphers without encryption alone",
    tls("one.crt", "one.key", { ciphers: "NULL" }),
    ["listen.tls.ciphers: contains no cipher that OpenSSL knows"],
  ],
  [
    "an upstream CA that holds none",
    { ...good, upstream: { url: "https://127.0.0.1:1", ca: "empty.pem" } },
    ["upstream.ca: holds no certificate"],
  ],
  [
    "an unset variable",
    { ...good, upstream: { url: "http://${REGISTRY_GATE_TEST_UNSET}" } },
    ["upstream.url: the environment variable REGISTRY_GATE_TEST_UNSET is not set"],
  ],
  [
    "modes and groups that are none",
    { ...good, listen: { address: "unix:gate.sock", socketMode: 660, socketGroup: "no-such-group" } },
    [
      'listen.socketMode: must be a mode in quotes, such as "0660"',
      "listen.socketGroup: /etc/group has no group no-such",
    ],
  ],
  [
    "the mode and group of no Unix socket",
    { ...good, listen: { ...good.listen, socketMode: "0660", socketGroup: 0 } },
    [
      "listen.socketMode: is for a listen.address of the form unix:/path\n",
      "listen.socketGroup: is for a listen.address of the form unix:/path\n",
    ],
  ],
  [
    "the mode of a socket that systemd passes",
    { ...good, listen: { address: "systemd:", socketMode: "0660", shared: true } },
    [
      "listen.socketMode: is for a listen.address of the form unix:/path; systemd has SocketMode= and SocketGroup=",
      "listen.shared: cannot be set for a socket that systemd passes, which outlives the gate anyway",
    ],
  ],
  [
    "origins of pages that no browser sends",
    { ...good, listen: { ...good.listen, cors: { origins: ["*", "https://ui.example.com/"], credential: true } } },
    [
      "listen.cors.credential: is not a known key; did you mean credentials?",
      "listen.cors.origins[0]: must be an origin such as https://ui.example.com: with a login every origin",
      "listen.cors.origins[1]: must be an origin such as https://ui.example.com; did you mean https://ui.example.com?",
    ],
  ],
  [
    "a health check where the registry is",
    { ...good, listen: { ...good.listen, healthPath: "/v2/healthz" } },
    ["listen.healthPath: must not be below /v2/, where the registry is"],
  ],
  [
    "a bad proxy, a bad glob and a bad subject",
    {
      ...good,
      listen: { ...good.listen, trustedProxies: ["10.0.0.0/33"] },
      access: [{ subjects: ["everybody"], repositories: ["a//b"], actions: ["pull"] }],
    },
    [
      "listen.trustedProxies[0]: must be an IP address, a CIDR block such as 10.0.0.0/8, or unix:",
      "access[0].subjects[0]: must be anonymous, authenticated, user:NAME or group:NAME",
      "access[0].repositories[0]: must not have an empty path segment",
    ],
  ],
];

describe.each(["check", "serve"])("%s", (command) => {
  test.each(cases)("refuses %s with a line that names the key's path", async (_, content, faults) => {
    const file = await configuration(content);
    const { code, stdout, stderr } = await runGate([command, "--config", file], { directory });
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(faults.length);
    for (const fault of faults) expect(stderr).toContain(`${file}: ${fault}`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });

  test("refuses a configuration that is not there", async () => {
    const { code, stderr } = await runGate([command, "--config", "nowhere.yaml"], { directory });
    expect({ code, stderr }).toEqual({ code: 1, stderr: "nowhere.yaml: no such file\n" });
  });
});

test("rejects a key that it may not read", async () => {
  await chmod(directory, 0o755);
  await writeFile(join(directory, "secret.key"), "", { mode: 0o000 });
  const file = await configuration(tls("one.crt", "secret.key"));
  const { code, stderr } = await runGate(["check", "--config", file], { directory, asNobody: true });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `${file}: listen.tls.key: permission denied: ${directory}/secret.key\n`,
  });
});

test.each([
  ["that others listen on", "unix:taken.sock", "unix:DIRECTORY/taken.sock is in use"],
  ["that is another file", "unix:htpasswd", "unix:DIRECTORY/htpasswd is in use"],
  ["in no directory", "unix:nowhere/gate.sock", "the directory of unix:DIRECTORY/nowhere/gate.sock does not exist"],
  ["with too long a path", `unix:/${"a".repeat(120)}`, `unix:/${"a".repeat(120)} is too long for the path of a socket`],
  [
    "of a socket that nobody passes",
    "systemd:",
    "no socket was passed to this process: start it from a systemd socket unit",
  ],
  ["of another machine", "192.0.2.1:5043", "192.0.2.1:5043 is not an address of this machine"],
  ["with no such name", "gate.invalid:5043", "gate.invalid:5043 is not known"],
])("an address %s is refused", async (_, address, message) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(join(directory, "taken.sock"), resolve));
  try {
    const file = await configuration({ ...good, listen: { address } });
    const { code, stderr } = await runGate(["serve", "--config", file], { directory });
    const line = `${file}: listen.address: ${message.replace("DIRECTORY", directory)}\n`;
    expect({ code, stderr }).toEqual({ code: 1, stderr: line });
  } finally {
    await new Promise((resolve) => holder.close(resolve));
  }
});

test("rejects an address in use, and leaves nothing running", async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const address = holder.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  try {
    const file = await configuration({ ...good, listen: { address: `127.0.0.1:${address.port}` } });
    const { code, stderr } = await runGate(["serve", "--config", file], { directory });
    const line = `${file}: listen.address: 127.0.0.1:${address.port} is in use\n`;
    expect({ code, stderr }).toEqual({ code: 1, stderr: line });
  } finally {
    await new Promise((resolve) => holder.close(resolve));
  }
});

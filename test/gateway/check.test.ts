import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { passwordFile } from "../support/password-file.ts";
import { run } from "../support/run.ts";
import { runGate } from "./run-gate.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "check-"));
  await writeFile(join(directory, "htpasswd"), await passwordFile({ testuser: "testpassword" }));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const good = {
  listen: { address: "127.0.0.1:5043" },
  upstream: { url: "http://127.0.0.1:5000" },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
};

async function check(configuration: object) {
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
  return runGate(["check", "--config", "gate.yaml"], { directory });
}

test("prints only ok for a valid configuration", async () => {
  expect(await check(good)).toEqual({ code: 0, stdout: "gate.yaml: ok\n", stderr: "" });
});

test("warns of plain HTTP beyond loopback, on both sides", async () => {
  const { code, stderr } = await check({
    ...good,
    listen: { address: "0.0.0.0:5043" },
    upstream: { url: "http://registry.example.com:5000" },
  });
  expect(code).toBe(0);
  expect(stderr).toContain("gate.yaml: warning: listen.tls: is missing: passwords are sent in clear text");
  expect(stderr).toContain("gate.yaml: warning: upstream.url: is plain HTTP");
});

test("warns of a page of plain HTTP that may use the registry", async () => {
  const origins = ["https://ui.example.com", "http://localhost:8080", "http://ui.example.com"];
  expect(await check({ ...good, listen: { ...good.listen, cors: { origins } } })).toMatchObject({
    code: 0,
    stderr:
      "gate.yaml: warning: listen.cors.origins[2]: is plain HTTP: anyone on the network path to its pages can act " +
      "as their users\n",
  });
});

test("warns of a cache that shows for long what was changed elsewhere", async () => {
  const cached = (cache: object) => check({ ...good, upstream: { ...good.upstream, cache } });
  expect((await cached({ ttl: "5m", maxAge: "7d" })).stderr).toBe("");
  const { code, stderr } = await cached({ ttl: "301s", maxAge: "8d" });
  expect(code).toBe(0);
  expect(stderr).toContain("gate.yaml: warning: upstream.cache.ttl: is long: clients get a tag's former content");
  expect(stderr).toContain("gate.yaml: warning: upstream.cache.maxAge: is long: content stays visible");
});

test("warns of plain-text passwords by line without quoting them", async () => {
  await writeFile(join(directory, "htpasswd"), "alice:canary-password\n");
  const { code, stdout, stderr } = await check({
    ...good,
    auth: { backends: [{ type: "htpasswd", file: "htpasswd", allowPlaintext: true }] },
  });
  expect(code).toBe(0);
  expect(stderr).toMatch(/warning: .*htpasswd, lines? 1: .*plain text/);
  expect(stderr).toContain("auth.backends[0].allowPlaintext");
  expect(stdout + stderr).not.toContain("canary-password");
});

test("warns that nobody can sign in by a password file without an entry that can be used", async () => {
  for (const content of ["", "alice:!\n"]) {
    await writeFile(join(directory, "htpasswd"), content);
    const { code, stderr } = await check(good);
    expect(code).toBe(0);
    expect(stderr).toContain(
      `warning: ${join(directory, "htpasswd")}: nobody can sign in: the file has no usable entry\n`,
    );
  }
});

test("warns by line of members of groups who have no password, and of lines of another format", async () => {
  await writeFile(join(directory, "groups"), "pushers: testuser bob\nadmins:x:1001:testuser\nall: testuser,bob\n");
  const { code, stderr } = await check({
    ...good,
    auth: { backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }] },
  });
  const at = (line: number): string => `gate.yaml: warning: ${join(directory, "groups")}, line ${line}: `;
  expect({ code, lines: stderr.split("\n") }).toEqual({
    code: 0,
    lines: [
      `${at(2)}entry ignored: this is a line of /etc/group: write group: user user`,
      `${at(1)}not in the password file: bob`,
      `${at(3)}testuser,bob: write blanks between users, and no commas`,
      "",
    ],
  });
});

test("an entry that cannot be used is warned of by its line", async () => {
  await writeFile(join(directory, "htpasswd"), "alice:canary-password\n", { flag: "a" });
  const { code, stderr } = await check(good);
  expect(code).toBe(0);
  expect(stderr).toMatch(/warning: .*htpasswd, line \d: /);
  expect(stderr).not.toContain("canary-password");
});

test("warns of rules that can never match", async () => {
  const { code, stderr } = await check({
    ...good,
    access: [
      { subjects: ["group:pushers"], repositories: ["**"], actions: ["push"] },
      { subjects: ["authenticated"], repositories: ["Team/**"], actions: ["pull"] },
      { subjects: ["anonymous"], repositories: ["${username}/**"], actions: ["pull"] },
      { subjects: ["authenticated"], repositories: ["!secret/**"], actions: ["pull"] },
      { subjects: ["authenticated"], repositories: ["team/**", "!team/**"], actions: ["pull"] },
    ],
  });
  expect(code).toBe(0);
  for (const path of [
    "access[0].subjects[0]",
    "access[1].repositories[0]",
    "access[2].repositories[0]",
    "access[3].repositories",
    "access[4].repositories[0]",
  ]) {
    expect(stderr).toContain(`gate.yaml: warning: ${path}: can never match`);
  }
});

test("warns of rules by which anyone can change images", async () => {
  await writeFile(join(directory, "htpasswd"), await passwordFile({ ci: "secret" }));
  const { code, stderr } = await check({
    ...good,
    access: [
      { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
      { subjects: ["anonymous", "user:ci"], repositories: ["scratch/**"], actions: ["pull", "push"] },
      { subjects: ["authenticated"], repositories: ["**"], actions: ["*"] },
    ],
  });
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr:
      "gate.yaml: warning: access[1].actions: allows push to anonymous: anyone who reaches the gate can change images\n",
  });
});

test("warns of rules that deny without effect, or deny everyone", async () => {
  await writeFile(join(directory, "htpasswd"), await passwordFile({ mallory: "secret" }));
  const denial = { effect: "deny", subjects: ["anonymous"], repositories: ["**"], actions: ["delete"] };
  const { code, stderr } = await check({
    ...good,
    access: [
      { subjects: ["authenticated"], repositories: ["**"], actions: ["pull", "push"] },
      { ...denial, subjects: ["user:mallory"], actions: ["*"] },
      denial,
      { ...denial, actions: ["push"] },
      { ...denial, actions: ["*"] },
    ],
  });
  const anonymous = "denies it to signed-in users too: anonymous is anybody;";
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: [
      "access[0]: allows nothing: access[4] denies it to everybody",
      "access[2].actions: has no effect: no rule allows delete",
      `access[3].subjects: ${anonymous} write [anonymous, authenticated] where that is meant`,
      "access[4]: denies everybody everything",
    ]
      .map((warning) => `gate.yaml: warning: ${warning}\n`)
      .join(""),
  });
});

test("warns of a key that every user can read, and of an expired certificate", async () => {
  const openssl = (...parameters: string[]): Promise<string> => run("openssl", parameters, { cwd: directory });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "a.key"];
  await openssl("req", ...key, "-subj", "/CN=localhost", "-out", "a.csr");
  await openssl("x509", "-req", "-in", "a.csr", "-signkey", "a.key", "-days", "-1", "-out", "a.crt");
  await chmod(join(directory, "a.key"), 0o644);
  const { code, stderr } = await check({
    ...good,
    listen: { ...good.listen, tls: { certificate: "a.crt", key: "a.key" } },
  });
  expect(code).toBe(0);
  expect(stderr).toContain("warning: listen.tls.key: every user of this machine can read or change it");
  expect(stderr).toContain("warning: listen.tls.certificate: has expired on ");
});

test("warns where guesses are not limited, or all clients are counted as one", async () => {
  const off = { ...good, auth: { ...good.auth, throttle: false } };
  expect(await check(off)).toMatchObject({
    code: 0,
    stderr: "gate.yaml: warning: auth.throttle: is off: passwords can be guessed without limit\n",
  });
  const listen = { address: "unix:gate.sock" };
  expect(await check({ ...good, listen })).toMatchObject({
    code: 0,
    stderr: "gate.yaml: warning: listen.trustedProxies: lacks unix:, so auth.throttle counts all clients as one\n",
  });
  expect(await check({ ...good, listen: { ...listen, trustedProxies: ["unix:"] } })).toMatchObject({ stderr: "" });
});

test("warns of a portal at which nobody can sign in, or whose sessions can be taken over", async () => {
  const portal = {};
  expect(await check({ ...good, portal })).toMatchObject({
    code: 0,
    stderr:
      "gate.yaml: warning: portal.cookie.secure: is true, and browsers come over plain HTTP: nobody can sign in at the " +
      "pages; set listen.tls, name the proxy that ends TLS in listen.trustedProxies, or, on your own machine, set it to false\n",
  });
  const { address } = good.listen;
  const silent = { stderr: "" };
  expect(await check({ ...good, portal, listen: { address, trustedProxies: ["127.0.0.1"] } })).toMatchObject(silent);
  expect(await check({ ...good, portal: { cookie: { secure: false } } })).toMatchObject(silent);
  const everywhere = { address: "0.0.0.0:5043" };
  const open = await check({ ...good, portal: { cookie: { secure: false } }, listen: everywhere });
  expect(open.stderr).toContain("portal.cookie.secure: is false: anyone on the network path can take over sessions");
});

test("warns of a backend that needs client certificates that are never requested", async () => {
  const proxy = {
    type: "sso-header",
    trustedProxies: ["127.0.0.1"],
    userHeader: "X-Forwarded-User",
    clientCertificate: { fingerprints: ["ab".repeat(32)] },
  };
  expect(await check({ ...good, auth: { backends: [proxy] } })).toMatchObject({
    code: 0,
    stderr:
      "gate.yaml: warning: auth.backends[0].clientCertificate: nobody can sign in: " +
      "without listen.tls.clientCa no client certificate is requested\n",
  });
});

import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuthBackend, AuthResult } from "@registry-gate/auth";
import { type FileReload, fileReload } from "@registry-gate/auth-kit";
import { type SsoHeaderOptions, ssoHeaderBackend } from "@registry-gate/auth-sso";
import { expect, onTestFinished, test } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { ask, faultsOf, scratchDirectory, until } from "./fixtures.ts";

const secret = "canary-0123456789";
const good = { trustedProxies: ["10.1.0.0/16"], userHeader: "X-User" };
const proxy = { address: "10.1.0.7", unixSocket: false };
const fingerprint = Array.from({ length: 32 }, (_, n) => (n + 160).toString(16).toUpperCase()).join(":");

const withSecret = (backend: AuthBackend, value: string | readonly string[] | undefined): Promise<AuthResult> =>
  ask(backend, { headers: { "X-User": "alice", ...(value === undefined ? {} : { "X-Gate-Secret": value }) } });

test("a proxy that knows the secret is listened to, and no other", async () => {
  const backend = await ssoHeaderBackend({ ...good, sharedSecret: { header: "X-Gate-Secret", value: secret } });
  expect(await withSecret(backend, secret)).toMatchObject({ status: "authenticated" });
  const wrong = { status: "rejected", reason: "the proxy's shared secret is wrong" };
  for (const value of ["", secret.slice(1), `${secret}x`, secret.toUpperCase(), `${secret}\u00ff`]) {
    expect(await withSecret(backend, value)).toEqual(wrong);
  }
  expect(await withSecret(backend, undefined)).toMatchObject({ reason: "the proxy's shared secret is missing" });
  expect(await withSecret(backend, [secret, secret])).toMatchObject({
    reason: "the proxy's shared secret occurs more than once",
  });
});

test("the secret does not help a stranger, and asks nothing of requests without a user", async () => {
  const backend = await ssoHeaderBackend({ ...good, sharedSecret: { header: "X-Gate-Secret", value: secret } });
  const headers = { "X-User": "alice", "X-Gate-Secret": secret };
  expect(await ask(backend, { headers, peer: { address: "192.0.2.1", unixSocket: false } })).toEqual({
    status: "abstained",
  });
  expect(await ask(backend, {})).toEqual({ status: "abstained" });
});

test("the file of the secret is followed", async () => {
  const directory = await scratchDirectory();
  const file = join(directory, "secret");
  await writeFile(file, `${secret}\n`);
  const { log, lines } = recordingLog();
  const options: SsoHeaderOptions = { ...good, sharedSecret: { header: "X-Gate-Secret", valueFile: "secret" } };
  const backend = await ssoHeaderBackend(options, { baseDirectory: directory, log });
  onTestFinished(() => backend.close?.());
  let changes = 0;
  const unsubscribe = backend.onChange?.(() => changes++);
  const published: FileReload[] = [];
  onTestFinished(fileReload.subscribe((message) => published.push(message)));
  expect(await withSecret(backend, secret)).toMatchObject({ status: "authenticated" });

  await writeFile(`${file}.new`, "canary-of-tomorrow");
  await rename(`${file}.new`, file);
  await until(async () => expect((await withSecret(backend, secret)).status).toBe("rejected"));
  expect(await withSecret(backend, "canary-of-tomorrow")).toMatchObject({ status: "authenticated" });
  expect(changes).toBe(1);

  unsubscribe?.();
  await writeFile(file, "canary\n\n");
  await until(() => expect(lines.some(({ level }) => level === "error")).toBe(true));
  expect(await withSecret(backend, "canary-of-tomorrow")).toMatchObject({ status: "authenticated" });
  await rm(file);
  await until(() => expect(lines.filter(({ level }) => level === "error")).toHaveLength(2));
  expect(changes).toBe(1);
  expect(JSON.stringify(lines)).not.toContain("canary");
  expect(published).toEqual(["reloaded", "invalid", "unreadable"].map((outcome) => ({ files: [file], outcome })));
});

test("a byte order mark and a line end do not belong to the secret in a file", async () => {
  const directory = await scratchDirectory();
  await writeFile(join(directory, "secret"), `\uFEFF${secret}\r\n`);
  const options: SsoHeaderOptions = { ...good, sharedSecret: { header: "X-Gate-Secret", valueFile: "secret" } };
  const backend = await ssoHeaderBackend(options, { baseDirectory: directory });
  onTestFinished(() => backend.close?.());
  expect(await withSecret(backend, secret)).toMatchObject({ status: "authenticated" });
});

test("a file that holds no secret is a fault of its option", async () => {
  const directory = await scratchDirectory();
  await writeFile(join(directory, "short"), "canary");
  const fault = (valueFile: string) =>
    faultsOf(() =>
      ssoHeaderBackend({ ...good, sharedSecret: { header: "X-S", valueFile } }, { baseDirectory: directory }),
    );
  const path = ["sharedSecret", "valueFile"];
  expect(await fault("short")).toEqual([{ path, message: expect.stringContaining("must be 16 to 1024 printable") }]);
  expect(await fault("none")).toEqual([{ path, message: `no such file: ${join(directory, "none")}` }]);
});

test.each([fingerprint, fingerprint.replaceAll(":", "").toLowerCase()])(
  "a proxy with a certificate of the fingerprint %s is listened to, and no other",
  async (written) => {
    const backend = await ssoHeaderBackend({ ...good, clientCertificate: { fingerprints: [written] } });
    const shown = (certificateFingerprint: string) =>
      ask(backend, { headers: { "X-User": "alice" }, peer: { ...proxy, certificateFingerprint } });
    expect(await shown(fingerprint)).toMatchObject({ status: "authenticated" });
    expect(await shown(fingerprint.replace("A0", "A1"))).toMatchObject({
      reason: "the proxy showed another certificate",
    });
    expect(await ask(backend, { headers: { "X-User": "alice" } })).toMatchObject({
      reason: "the proxy showed no verified certificate",
    });
  },
);

test("with both proofs asked for, one is not enough", async () => {
  const backend = await ssoHeaderBackend({
    ...good,
    sharedSecret: { header: "X-Gate-Secret", value: secret },
    clientCertificate: { fingerprints: [fingerprint] },
  });
  const peer = { ...proxy, certificateFingerprint: fingerprint };
  const headers = { "X-User": "alice", "X-Gate-Secret": secret };
  expect((await ask(backend, { headers, peer })).status).toBe("authenticated");
  expect((await ask(backend, { headers, peer: proxy })).status).toBe("rejected");
  expect((await ask(backend, { headers: { "X-User": "alice" }, peer })).status).toBe("rejected");
});

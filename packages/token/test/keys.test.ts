import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { silentLog } from "@registry-gate/auth-kit";
import { calculateJwkThumbprint, type JWK } from "jose";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { addKey, openKeys, randomKeys } from "../src/key-file.ts";
import type { TokenKeys } from "../src/keys.ts";
import { makeKey } from "../src/make-key.ts";
import { libtrustKeyId } from "../src/signing-key.ts";

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-keys-"));
  file = join(directory, "keys.json");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const readKeys = async (): Promise<JWK[]> => JSON.parse(await readFile(file, "utf8")).keys;
const kids = async (): Promise<unknown[]> => (await readKeys()).map(({ kid }) => kid);

async function open(log: Logger = silentLog): Promise<{ keys: TokenKeys; warnings: Fault[] }> {
  const warnings: Fault[] = [];
  const keys = await openKeys(
    { file: "keys.json" },
    { baseDirectory: directory, log, warn: (fault) => void warnings.push(fault), option: ["keys", "file"] },
  );
  onTestFinished(() => keys.close());
  return { keys, warnings };
}

describe("addKey", () => {
  it("makes a file that its owner alone can read, with one key of Ed25519", async () => {
    const added = await addKey(file);
    expect(added).toMatchObject({ created: true, removed: 0, total: 1 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const [key = {}] = await readKeys();
    expect(key).toMatchObject({ kty: "OKP", crv: "Ed25519", alg: "EdDSA", use: "sig", kid: added.kid });
    expect(key.kid).toBe(await calculateJwkThumbprint(key));
    expect(key).toHaveProperty(["rg:created"], expect.any(Number));
    expect(await readdir(directory)).toEqual(["keys.json"]);
  });

  it("puts a new key before the others, which stay as they are, and keeps the mode", async () => {
    const first = await addKey(file);
    const before = await readKeys();
    await chmod(file, 0o640);
    const second = await addKey(file);
    expect(second).toMatchObject({ created: false, total: 2 });
    expect(await kids()).toEqual([second.kid, first.kid]);
    expect((await readKeys()).slice(1)).toEqual(before);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  it("loses no key of several runs at once", async () => {
    const added = await Promise.all(Array.from({ length: 5 }, () => addKey(file)));
    expect((await kids()).sort()).toEqual(added.map(({ kid }) => kid).sort());
  });

  it("removes keys that are older than it is told, and none that does not say its age", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 40 * 86_400_000 });
    onTestFinished(() => void vi.useRealTimers());
    await addKey(file);
    const { "rg:created": _, ...undated } = await makeKey();
    await writeFile(file, JSON.stringify({ keys: [...(await readKeys()), undated] }));
    vi.useRealTimers();
    const recent = await addKey(file, { removeOlderThan: "60d" });
    expect(recent).toMatchObject({ removed: 0, total: 3 });
    const last = await addKey(file, { removeOlderThan: "30d" });
    expect(last).toMatchObject({ removed: 1, total: 3 });
    expect(await kids()).toEqual([last.kid, recent.kid, undated.kid]);
  });

  it.each([
    ["a file that is not JSON", "{", ["file"]],
    ["a file that is no JWK set", '{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}', ["file"]],
  ])("refuses %s, and leaves it as it is", async (_, content, path) => {
    await writeFile(file, content);
    await expect(addKey(file)).rejects.toMatchObject({ faults: [{ path }] });
    expect(await readFile(file, "utf8")).toBe(content);
  });

  it("refuses a PEM that is no private key, and a key that is there already", async () => {
    await expect(addKey(file, { pem: "nothing" })).rejects.toMatchObject({ faults: [{ path: ["pem"] }] });
    const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
    await addKey(file, { pem: pem.toString() });
    await expect(addKey(file, { pem: pem.toString() })).rejects.toMatchObject({ faults: [{ path: ["file"] }] });
    const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    });
    await expect(addKey(file, { pem: small.toString() })).rejects.toThrow(InvalidOptionsError);
  });

  it("takes over a key, and names it as docker-registry 2 does", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const { kid } = await addKey(file, { pem, keyId: "libtrust" });
    expect(kid).toMatch(/^(?:[A-Z2-7]{4}:){11}[A-Z2-7]{4}$/);
    expect(kid).toBe(libtrustKeyId(createPublicKey(pem)));
    expect((await readKeys())[0]).toMatchObject({ alg: "RS256" });
  });
});

describe("openKeys", () => {
  it("makes a random key without a file", async () => {
    const context = { baseDirectory: directory, log: silentLog, warn: () => {} };
    const [one, other] = await Promise.all([openKeys({}, context), openKeys({}, context)]);
    expect(one.signingKey().kid).not.toBe(other.signingKey().kid);
    expect(one.algorithm()).toBe("EdDSA");
  });

  it("follows the file, and says that keys have changed", async () => {
    const first = await addKey(file);
    const { keys } = await open();
    const changed = vi.fn();
    keys.onChange(changed);
    const second = await addKey(file);
    await expect.poll(() => changed.mock.calls.length).toBe(1);
    expect(keys.find(second.kid)).toBeDefined();
    expect(keys.find(first.kid)).toBeDefined();
  });

  it("keeps the keys while the file cannot be used", async () => {
    const { kid } = await addKey(file);
    const errors: unknown[] = [];
    const { keys } = await open({ ...silentLog, error: (fields) => void errors.push(fields) });
    await writeFile(file, "{");
    await expect.poll(() => errors.length).toBe(1);
    expect(keys.signingKey().kid).toBe(kid);
  });

  it("signs with a new key once other replicas can have read it", async () => {
    const first = await addKey(file);
    await addKey(file);
    const { keys } = await open();
    expect(keys.signingKey().kid).toBe(first.kid);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 12_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(keys.signingKey().kid).not.toBe(first.kid);
  });

  it("pins the algorithm of the newest key", async () => {
    const old = await addKey(file, { algorithm: "ES256" });
    const { kid } = await addKey(file);
    const { keys } = await open();
    expect(keys.algorithm()).toBe("EdDSA");
    expect(keys.find(old.kid)).toBeUndefined();
    expect(keys.signingKey().kid).toBe(kid);
  });

  it.each([0o644, 0o640, 0o604])("warns of a file with mode %o", async (mode) => {
    await addKey(file);
    await chmod(file, mode);
    expect((await open()).warnings).toMatchObject([{ path: ["keys", "file"] }]);
  });

  it("does not warn of a file that its owner alone can read", async () => {
    await addKey(file);
    expect((await open()).warnings).toEqual([]);
  });

  const ed25519 = async () => makeKey();
  it.each<[string, () => Promise<unknown>]>([
    ["no file", async () => undefined],
    ["no keys", async () => ({ keys: [] })],
    ["a shared secret", async () => ({ keys: [{ kty: "oct", kid: "a", k: "AAAA" }] })],
    ["a key without a kid", async () => ({ keys: [{ ...(await ed25519()), kid: undefined }] })],
    ["another algorithm than the key's", async () => ({ keys: [{ ...(await ed25519()), alg: "RS256" }] })],
    ["a public key alone", async () => ({ keys: [{ ...(await ed25519()), d: undefined }] })],
    ["a key that is none", async () => ({ keys: [{ ...(await ed25519()), d: "AA" }] })],
    ["a key for encryption", async () => ({ keys: [{ ...(await ed25519()), use: "enc" }] })],
    [
      "one kid twice",
      async () => ({ keys: await Promise.all([1, 2].map(async () => ({ ...(await ed25519()), kid: "a" }))) }),
    ],
  ])("refuses %s, and quotes nothing of it", async (_, content) => {
    const value = await content();
    if (value !== undefined) await writeFile(file, JSON.stringify(value));
    const error: unknown = await open().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ faults: [{ path: ["keys", "file"] }] });
    for (const { d } of (await readKeys().catch(() => [])).filter(({ d }) => d !== undefined && d.length > 2)) {
      expect(String(error)).not.toContain(d);
    }
  });
});

describe("derived keys", () => {
  it("are the same in every process, of 32 bytes, and others for another purpose", async () => {
    await addKey(file);
    await addKey(file);
    const [{ keys: one }, { keys: other }] = await Promise.all([open(), open()]);
    expect(one.derive("locations")).toHaveLength(2);
    expect(one.derive("locations")).toEqual(other.derive("locations"));
    expect(one.derive("locations")[0]).toHaveLength(32);
    expect(one.derive("locations")[0]).not.toEqual(one.derive("pages")[0]);
    expect(one.derive("locations")[0]).toBe(one.derive("locations")[0]);
  });
});

describe("the public set", () => {
  it("has no private member", async () => {
    const { keys } = await (await randomKeys()).publicSet();
    expect(keys).toEqual([
      { kty: "OKP", crv: "Ed25519", x: expect.any(String), kid: expect.any(String), alg: "EdDSA", use: "sig" },
    ]);
  });
});

import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../support/run.ts";
import { runGate } from "./run-gate.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-keys-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const keys = (...parameters: string[]) => runGate(["keys", ...parameters], { directory });
const content = async (): Promise<{ keys: Record<string, unknown>[] }> =>
  JSON.parse(await readFile(join(directory, "keys.json"), "utf8"));

describe("registry-gate keys", () => {
  it("creates a file of mode 0600 with one key, and adds another before it", async () => {
    expect(await keys("keys.json")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^keys\.json: added key \S+ \(created\)\n$/),
    });
    expect((await stat(join(directory, "keys.json"))).mode & 0o777).toBe(0o600);
    const [first] = (await content()).keys;
    const added = await keys("keys.json", "--remove-older-than", "30d");
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining("(2 keys, 0 removed)") });
    expect((await content()).keys[1]).toEqual(first);
  });

  it("prints the public keys alone", async () => {
    await keys("keys.json");
    const before = await content();
    const { code, stdout } = await keys("keys.json", "--public");
    expect(code).toBe(0);
    const [key] = JSON.parse(stdout).keys;
    expect(key).toMatchObject({ kty: "OKP", alg: "EdDSA", kid: before.keys[0]?.kid });
    expect(key).not.toHaveProperty("d");
    expect(await content()).toEqual(before);
  });

  it("takes over a key, named as docker-registry 2 names it", async () => {
    await runCommand("openssl", ["genpkey", "-algorithm", "RSA", "-out", join(directory, "key.pem")]);
    const { code, stdout } = await keys("keys.json", "--pem", "key.pem", "--key-id", "libtrust");
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/added key (?:[A-Z2-7]{4}:){11}/),
    });
    expect((await content()).keys[0]).toMatchObject({ kty: "RSA", alg: "RS256" });
  });

  it.each([
    [["nowhere/keys.json"], /^nowhere\/keys\.json: no such directory: /],
    [["keys.json", "--remove-older-than", "soon"], /^--remove-older-than: must be a duration such as 30d$/],
    [["keys.json", "--pem", "missing.pem"], /^missing\.pem: cannot be read: /],
    [["keys.json", "--public"], /^keys\.json: /],
  ])("ends with 1 and one line for %j", async (parameters, line) => {
    const { code, stdout, stderr } = await keys(...parameters);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toEqual([expect.stringMatching(line)]);
  });

  it.each([
    [[]],
    [["a", "b"]],
    [["keys.json", "--algorithm", "HS256"]],
    [["keys.json", "--key-id", "x"]],
    [["keys.json", "--algorithm", "ES256", "--pem", "a"]],
  ])("does not understand %j", async (parameters) => {
    expect(await keys(...parameters)).toMatchObject({ code: 2 });
  });
});

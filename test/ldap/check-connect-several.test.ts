import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { check, newDirectory } from "./check-connect.ts";
import { openldap } from "./openldap.ts";

let slapd: Slapd;
beforeAll(async () => {
  slapd = await startSlapd();
});
afterAll(() => slapd?.close());

const ldap = (): object => ({ type: "ldap", ...openldap(slapd) });

describe("check --connect with several backends", () => {
  it("succeeds if one backend accepts the user, even if others reject them", async () => {
    const directory = await newDirectory();
    await writeFile(join(directory, "htpasswd"), await passwordFile({ testuser: "alicepw" }));
    const backends = [{ type: "htpasswd", file: "htpasswd" }, ldap()];
    for (const user of ["testuser", "alice"]) {
      const { code, stdout, stderr } = await check({ directory, backends, user, password: "alicepw" });
      expect(stdout).toMatch(/auth\.backends\[0\] \(htpasswd\)[\s\S]*auth\.backends\[1\] \(ldap\)/);
      expect(stdout).toMatch(
        user === "alice" ? /failed +login .*does not know the user/ : /ok +login .*username testuser/,
      );
      expect({ code, stderr: stderr.replace(/^.*warning.*\n/gm, "") }).toEqual({ code: 0, stderr: "" });
    }
    const nobody = await check({ directory, backends, user: "nobody", password: "alicepw" });
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain("auth.backends[0]: login failed: does not know the user");
    expect(nobody.stderr).toContain("auth.backends[1]: search failed: no such user");
  });

  it("asks one without a diagnosis of its own whether it is well", async () => {
    const directory = await newDirectory();
    await writeFile(join(directory, "htpasswd"), await passwordFile({ testuser: "alicepw" }));
    const { code, stdout } = await check({ directory, backends: [{ type: "htpasswd", file: "htpasswd" }] });
    expect(stdout).toMatch(/^auth\.backends\[0\] \(htpasswd\)\n {2}htpasswd\n {4}ok +check +\d+ ms\ngate\.yaml: ok\n$/);
    expect(code).toBe(0);
  });

  it("is a wrong command line with --user alone", async () => {
    expect(
      await runGate(["check", "--user", "alice", "--config", "gate.yaml"], { directory: await newDirectory() }),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--user needs --connect"),
    });
  });
});

describe("check --connect with a third party's package", () => {
  /** A directory in which the package is installed. */
  const packageWith = async (member: string): Promise<string> => {
    const directory = await newDirectory();
    const code = `export const plugin = { type: "acme", apiVersion: 1, open: async (options, { id }) => ({
      id, authenticate: async () => ({ status: "rejected", reason: "no badge" }), ${member} }) };`;
    await writeFile(join(directory, "acme.mjs"), code);
    await writeFile(
      join(directory, "package.json"),
      '{ "name": "acme", "type": "module", "exports": { ".": "./acme.mjs" } }',
    );
    return directory;
  };

  it("prints the steps of its own diagnosis without control characters", async () => {
    const directory = await packageWith(`async *diagnose(login) {
      yield { step: "badge", target: "acme", outcome: "ok", about: "login", milliseconds: 1, details: { of: login.username + "\\u001b[2J" } };
    }`);
    const { code, stdout } = await check({
      directory,
      backends: [{ type: "acme" }],
      user: "alice",
      password: "alicepw",
    });
    expect(stdout).toMatch(/ {4}ok +badge +1 ms {2}of alice\ufffd\[2J\n/);
    expect(code).toBe(0);
  });

  it("says where there is nothing to connect to", async () => {
    const directory = await packageWith("");
    const { code, stdout } = await check({ directory, backends: [{ type: "acme" }] });
    expect(stdout).toBe("auth.backends[0] (acme)\n  no connection to test\ngate.yaml: ok\n");
    expect(code).toBe(0);
  });

  it.each([
    ["diagnosis", 'async *diagnose() { throw new Error("out of order"); }', "out of order"],
    ["check", 'async check() { throw new Error("down"); }', "down"],
    ["login", "async check() {}", "no badge"],
  ])("names its %s where that fails", async (step, member, reason) => {
    const directory = await packageWith(member);
    const { code, stderr } = await check({
      directory,
      backends: [{ type: "acme" }],
      user: "alice",
      password: "alicepw",
    });
    expect(stderr).toContain(`auth.backends[0]: ${step} failed: ${reason} (acme)`);
    expect(code).toBe(1);
  });
});

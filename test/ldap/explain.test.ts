import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LdapOptions } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import { basic } from "../support/basic.ts";
import { startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { startUpstream } from "../support/upstream.ts";
import { base, groupBase, openldap } from "./openldap.ts";

/** `explain` with users of a directory, and that a running gate does what it says. */

let slapd: Slapd;
beforeAll(async () => {
  slapd = await startSlapd();
});
afterAll(() => slapd?.close());

type Rule = Readonly<Record<string, unknown>>;

const nested = (): LdapOptions => ({
  ...openldap(slapd),
  groups: { searchBase: groupBase, searchFilter: "(member={{dn}})", nested: true },
});

const all = { repositories: ["**"], actions: ["pull", "push"] };

/** What is explained, and what a running gate says to the same. */
async function explained(rules: readonly Rule[], backends: readonly object[], ...parameters: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), "explain-ldap-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: "http://127.0.0.1:1" },
    auth: { backends },
    access: rules,
  };
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
  await writeFile(join(directory, "htpasswd"), await passwordFile({ robot: "robotpw" }));
  return runGate(["explain", "--config", "gate.yaml", ...parameters, "push", "team/app"], { directory });
}

const ldap = (): object => ({ type: "ldap", ...nested() });

describe("explain --connect", () => {
  it("asks the directory for the groups of a user, nested ones too, and for the name's spelling", async () => {
    const rules = [
      { subjects: ["group:pushers"], ...all },
      { subjects: ["user:alice"], ...all },
    ];
    expect(await explained(rules, [ldap()], "--connect", "--user", "ALICE")).toEqual({
      code: 0,
      stdout: "allowed\n  access[0]: allows push on team/app\n  access[1]: allows push on team/app\n",
      stderr: "",
    });
    const denied = await explained(rules, [ldap()], "--connect", "--user", "carol");
    expect(denied).toMatchObject({ code: 1, stderr: "" });
    expect(denied.stdout).toMatch(/^denied\n {2}access\[0\]: its subjects do not include carol/);
  });

  it("asks the backends in their order, and a directory only where no file has the user", async () => {
    const backends = [
      { type: "htpasswd", file: "htpasswd" },
      { ...ldap(), urls: ["ldaps://127.0.0.1:1"] },
    ];
    const rules = [{ subjects: ["user:robot"], ...all }];
    expect(await explained(rules, backends, "--connect", "--user", "robot")).toMatchObject({ code: 0, stderr: "" });
    const failed = await explained(rules, backends, "--connect", "--user", "alice");
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(/^gate\.yaml: auth\.backends\[1\]: connect failed: .*refused/);
  });

  it("says that no backend knows the user", async () => {
    const rules = [{ subjects: ["group:pushers"], ...all }];
    expect(await explained(rules, [ldap()], "--connect", "--user", "nobody")).toEqual({
      code: 1,
      stdout: "denied\n  access[0]: its subjects do not include nobody, who is in no group\n",
      stderr: "gate.yaml: note: no backend knows nobody\n",
    });
  });
});

describe("explain without --connect", () => {
  it("does not say that a user of a directory is in no group", async () => {
    const { code, stdout, stderr } = await explained(
      [{ subjects: ["group:pushers"], ...all }],
      [ldap()],
      "--user",
      "alice",
    );
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: "denied\n  access[0]: its subjects do not include alice, whose groups are not known\n",
    });
    expect(stderr).toBe(
      "gate.yaml: note: auth.backends[0] (ldap) was not asked about alice: add --connect, or pass the groups with --group\n",
    );
  });

  it("compares groups of the command line as the directory would", async () => {
    const rules = [{ subjects: ["group:Pushers"], ...all }];
    const groups = ["--user", "alice", "--group", "pushers"];
    expect(await explained(rules, [ldap()], ...groups)).toMatchObject({ code: 0, stderr: "" });
    expect(await explained(rules, [{ type: "htpasswd", file: "htpasswd" }, ldap()], ...groups)).toEqual({
      code: 1,
      stdout:
        "denied\n  access[0]: its subjects do not include alice or the groups pushers; group:Pushers differs by case alone\n",
      stderr: "",
    });
  });
});

describe("a running gate", () => {
  it("compares groups of the directory without regard to case, and by DN, in rules that allow and that deny", async () => {
    const upstream = await startUpstream((_, response) => response.end("{}"));
    onTestFinished(() => upstream.close());
    const one = (name: string, subjects: readonly string[], effect = "allow"): Rule => ({
      effect,
      subjects,
      repositories: [`${name}/**`],
      actions: ["pull"],
    });
    const gate = await startGate({
      configuration: {
        listen: { address: "127.0.0.1:0" },
        upstream: { url: upstream.url },
        auth: { backends: [{ ...ldap(), requiredGroup: "PUSHERS", usernameCase: "lower" }] },
        access: [
          one("name", ["group:PushErs"]),
          one("dn", [`group:CN=Pushers, OU=Groups, ${base}`]),
          one("user", ["user:Alice"]),
          one("denied", ["authenticated"]),
          one("denied", ["group:PUSHERS"], "deny"),
          one("banned", ["authenticated"]),
          one("banned", ["user:ALICE"], "deny"),
        ],
      },
    });
    onTestFinished(() => gate.close());
    const pull = async (repository: string): Promise<number> =>
      (await fetch(`${gate.url}/v2/${repository}/app/tags/list`, { headers: basic("alice", "alicepw") })).status;
    expect(await pull("name")).toBe(200);
    expect(await pull("dn")).toBe(200);
    expect(await pull("user")).toBe(403);
    expect(await pull("denied")).toBe(403);
    expect(await pull("banned")).toBe(403);
  });
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import { newDirectory } from "./check-connect.ts";

const base = "dc=example,dc=org";

/** What `check` says of a configuration with this backend, without connecting to anything. */
async function warningsOf(options: object): Promise<readonly string[]> {
  const directory = await newDirectory();
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: "http://127.0.0.1:5000" },
    auth: { backends: [{ type: "ldap", urls: ["ldaps://127.0.0.1:1"], searchBase: base, ...options }] },
    access: [{ subjects: ["group:admins"], repositories: ["**"], actions: ["pull", "push"] }],
  };
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
  const { code, stderr } = await runGate(["check", "--config", "gate.yaml"], { directory });
  expect(code).toBe(0);
  return stderr.split("\n").filter((line) => line !== "");
}

describe("check", () => {
  const byDN =
    "gate.yaml: warning: auth.backends[0].groups.searchBase: rules must name groups by DN: without groups.searchBase no group has a short name";

  it("warns that rules must name groups by DN where there is no base for groups", async () => {
    expect(await warningsOf({})).toEqual([byDN]);
  });

  it("warns that a required group without a base rejects everyone unless it is a DN", async () => {
    const keepsOut =
      "gate.yaml: warning: auth.backends[0].requiredGroup: nobody can sign in: without groups.searchBase it must be a DN";
    expect(await warningsOf({ requiredGroup: "admins" })).toEqual([byDN, keepsOut]);
    expect(await warningsOf({ requiredGroup: `cn=admins,ou=groups,${base}` })).toEqual([byDN]);
  });

  it("does not warn of short names below a base, nor in a domain of Active Directory", async () => {
    expect(await warningsOf({ groups: { searchBase: `ou=groups,${base}` }, requiredGroup: "admins" })).toEqual([]);
    expect(await warningsOf({ activeDirectory: true, requiredGroup: "admins" })).toEqual([]);
  });
});

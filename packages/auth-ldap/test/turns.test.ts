import { createSecureContext } from "node:tls";
import type { AuthResult } from "@registry-gate/auth";
import { describe, expect, it } from "vitest";
import { authenticate } from "../src/authenticate.ts";
import { GROUPS } from "../src/bounds.ts";
import type { LoginDirectory } from "../src/directory/login-directory.ts";
import type { GroupOptions } from "../src/options.ts";
import { resolveOptions } from "../src/resolve-options.ts";
import { createDomains } from "../src/user/domains.ts";
import { entryOf, found, scriptedSession } from "./scripted-session.ts";

const base = "dc=example,dc=org";
const group = `cn=pushers,ou=groups,${base}`;

/** Logs a user in whose entry has these values of `memberOf`, and tells how often a connection was taken for it. */
async function login(
  memberOf: Readonly<Record<string, readonly (string | Buffer)[]>>,
  groups: GroupOptions = {},
): Promise<{ result: AuthResult; connections: number; skipped: number }> {
  const entry = entryOf(`uid=alice,ou=people,${base}`, { uid: ["alice"], ...memberOf });
  const session = scriptedSession(({ scope, attributes: [wanted = ""] }) => {
    if (scope === "sub") return found(entry);
    return found(...(wanted === "memberOf;range=1-*" ? [entryOf(entry.dn, { [wanted]: [] })] : []));
  });
  let connections = 0;
  const take: LoginDirectory["read"] = (_signal, use) => {
    connections++;
    return use(session);
  };
  let skipped = 0;
  const { directory, ...others } = resolveOptions({ urls: ["ldaps://one"], searchBase: base, groups });
  const connect = { ...directory.connect, secureContext: () => createSecureContext() };
  const result = await authenticate(
    { scheme: "basic", username: "alice", password: "secret" },
    {
      backend: "ldap",
      settings: { ...others, directory: { ...directory, connect } },
      directory: { read: take, asUser: take },
      domains: createDomains(),
      reportSkipped: (_username, values) => {
        for (const { count } of values) skipped += count;
      },
    },
    new AbortController().signal,
  );
  return { result, connections, skipped };
}

const groupsOf = (result: AuthResult): readonly string[] =>
  result.status === "authenticated" ? result.identity.groups : [];

describe("a login takes a connection", () => {
  it("for the search and for the bind, and no third one for groups that are all in the entry", async () => {
    const { result, connections } = await login({ memberOf: [group, group.toUpperCase()] });
    expect(groupsOf(result)).toEqual([group]);
    expect(connections).toBe(2);
  });

  it("for groups of which the entry has only some", async () => {
    const { result, connections } = await login({ "memberOf;range=0-0": [group] });
    expect(groupsOf(result)).toEqual([group]);
    expect(connections).toBe(3);
  });

  it("for groups that are in others, or have short names", async () => {
    expect((await login({ memberOf: [group] }, { searchBase: `ou=groups,${base}`, nested: true })).connections).toBe(3);
    expect((await login({ memberOf: [group] }, { searchBase: base })).connections).toBe(3);
  });
});

describe("groups that are all in the entry", () => {
  it("are reported where they are no DNs, or no text", async () => {
    const { result, skipped } = await login({ memberOf: [group, "no DN", Buffer.from([0xff])] });
    expect(groupsOf(result)).toEqual([group]);
    expect(skipped).toBe(2);
  });

  it("are no more than anybody has", async () => {
    const many = Array.from({ length: GROUPS.count + 1 }, (_, index) => `cn=g${index},${base}`);
    await expect(login({ memberOf: many })).rejects.toThrow(`memberOf has more than ${GROUPS.count} values`);
  });
});

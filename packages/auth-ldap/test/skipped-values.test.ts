import type { Identity } from "@registry-gate/auth";
import { describe, expect, it, onTestFinished } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { ldapBackend } from "../src/backend.ts";
import type { LdapOptions } from "../src/options.ts";
import { searchDone, searchEntry } from "./ber-message.ts";
import { type FakeRequest, type FakeResponse, startFakeDirectory } from "./fake-directory.ts";

const domain = "dc=example,dc=org";
const base = `ou=groups,${domain}`;
const user = `uid=alice,ou=people,${domain}`;
const pushers = `cn=pushers,${base}`;

type Attributes = Parameters<typeof searchEntry>[2];

/** Signs alice in, whose entry has these attributes; other searches are answered by `others`. */
async function signIn(
  attributes: Attributes,
  options: Partial<LdapOptions> = {},
  others: (request: FakeRequest) => FakeResponse = ({ id }) => [searchDone(id)],
) {
  const directory = await startFakeDirectory((request) => {
    if (request.kind === "bind") return undefined;
    if (request.scope !== "sub" || !request.attributes.includes("uid")) return others(request);
    return [searchEntry(request.id, user, attributes), searchDone(request.id)];
  });
  onTestFinished(() => directory.close());
  const { log, lines } = recordingLog();
  const backend = await ldapBackend(
    {
      urls: [directory.url],
      allowCleartext: true,
      searchBase: domain,
      groups: { searchBase: base },
      timeout: "20s",
      ...options,
    },
    { id: "ldap", log },
  );
  onTestFinished(() => backend.close?.());
  const login = async (): Promise<Identity> => {
    const result = await backend.authenticate({
      credentials: { scheme: "basic", username: "alice", password: "alicepw" },
      peer: { address: "127.0.0.1", unixSocket: false },
      client: "127.0.0.1",
      header: () => [],
      signal: AbortSignal.timeout(60_000),
    });
    if (result.status !== "authenticated") throw new Error(JSON.stringify(result));
    return result.identity;
  };
  return { identity: await login(), login, lines };
}

describe("a value of memberOf", () => {
  it.each([
    ["a name", "leavers", ["leavers"]],
    ["nearly a DN", `cn=leavers,${base},`, ["leavers"]],
    ["a DN with a quotation mark", `cn="leavers",${base}`, []],
    ["empty", "", []],
  ])("that is %s is skipped, and rules that deny count what it may mean", async (_, value, possible) => {
    const { identity, lines } = await signIn({ uid: ["alice"], memberOf: [pushers, value] });
    expect(identity.groups).toEqual(["pushers", pushers]);
    expect(identity.ambiguousGroups ?? []).toEqual(expect.arrayContaining(possible));
    expect(lines).toEqual([
      {
        level: "warn",
        fields: { backend: "ldap", username: "alice", attribute: "memberOf", values: 1 },
        message: "skipped 1 value of memberOf: it is not a DN",
      },
    ]);
  });

  it("that is no UTF-8 is skipped, also among values that come in ranges", async () => {
    const skipped = Buffer.from([0xff, 0xfe]);
    const { identity } = await signIn({ uid: ["alice"], memberOf: [pushers, skipped] });
    expect(identity.groups).toEqual(["pushers", pushers]);
    const ranged = await signIn(
      { uid: ["alice"], "memberOf;range=0-1": [pushers, skipped] },
      {},
      ({ id, attributes }) =>
        attributes.includes("memberOf;range=2-*")
          ? [searchEntry(id, user, { "memberOf;range=2-*": [`cn=readers,${base}`] }), searchDone(id)]
          : [searchDone(id)],
    );
    expect(ranged.identity.groups).toEqual(expect.arrayContaining(["pushers", "readers"]));
    expect(ranged.lines).toMatchObject([{ message: "skipped 1 value of memberOf: it is not UTF-8" }]);
  });

  it("is logged once for each user, however often they sign in, and with the number of such values", async () => {
    const many = Array.from({ length: 49 }, (_, index) => `skipped ${index}`);
    const { login, lines } = await signIn({ uid: ["alice"], memberOf: [...many, pushers] });
    for (let again = 0; again < 3; again++) expect((await login()).groups).toContain("pushers");
    expect(lines.map(({ message }) => message)).toEqual(["skipped 49 values of memberOf: each is not a DN"]);
  });

  it("cannot be the required group where it is skipped", async () => {
    const memberOf = ["admins", pushers];
    await expect(signIn({ uid: ["alice"], memberOf }, { requiredGroup: "admins" })).rejects.toThrow("required group");
  });
});

describe("a group", () => {
  it.each([
    ["a soft hyphen", "lea\u00advers", "an invisible character"],
    ["a character without a width", "lea\u200bvers", "an invisible character"],
    ["a mark of direction", "lea\u202evers", "an invisible character"],
    ["a byte order mark before it", "\ufeffleavers", "an invisible character"],
    ["a control", "lea\u0007vers", "a control character"],
    ["a separator of lines", "lea\u2028vers", "a control character"],
  ])("whose name has %s has no name in rules that allow, and both in rules that deny", async (_, name, what) => {
    const { identity, lines } = await signIn({ uid: ["alice"], memberOf: [`cn=${name},${base}`, pushers] });
    expect(identity.groups).toContain("pushers");
    expect(identity.groups).not.toContain("leavers");
    expect(identity.groups).not.toContain(name);
    expect(identity.ambiguousGroups).toEqual([name, "leavers"]);
    expect(lines).toMatchObject([{ fields: { attribute: "cn" }, message: `skipped 1 value of cn: it holds ${what}` }]);
  });

  it("with such a name outside the base, or without one, is meant by rules that deny as well", async () => {
    const { identity } = await signIn({ uid: ["alice"], memberOf: [`cn=lea\u00advers,${domain}`] }, { groups: {} });
    expect(identity.ambiguousGroups).toEqual(["lea\u00advers", "leavers"]);
  });

  it("whose DN is not understood is skipped where groups are searched for", async () => {
    const { identity, lines } = await signIn(
      { uid: ["alice"] },
      { groups: { searchBase: base, searchFilter: "(member={{dn}})" } },
      ({ id }) => [
        searchEntry(id, pushers, { cn: ["pushers"] }),
        searchEntry(id, "leavers", { cn: ["Leavers"] }),
        searchDone(id),
      ],
    );
    expect(identity.groups).toEqual(["pushers", pushers]);
    expect(identity.ambiguousGroups).toEqual(["leavers", "Leavers"]);
    expect(lines[0]?.message).toBe("skipped 2 values of DN of a group: each is not a DN");
  });

  it("whose name an entry without a proper DN has as well has no name", async () => {
    const deep = `cn=team,ou=unit,${base}`;
    const { identity } = await signIn({ uid: ["alice"], memberOf: [deep] }, {}, ({ id }) => [
      searchEntry(id, deep, { cn: ["team"] }),
      searchEntry(id, "team", { cn: ["team"] }),
      searchDone(id),
    ]);
    expect(identity).toMatchObject({ groups: [deep], ambiguousGroups: ["team"] });
  });
});

describe("more than the bound", () => {
  it("of values of memberOf is unavailable all the same", async () => {
    const memberOf = Array.from({ length: 10_001 }, () => "skipped");
    await expect(signIn({ uid: ["alice"], memberOf })).rejects.toThrow("more than 10000 values");
  });

  it.each([
    ["a megabyte of marks", `cn=a${"\u0301\u0316".repeat(250_000)},${base}`],
    ["a megabyte of components", `cn=a,${"ou=x,".repeat(200_000)}${base}`],
    ["a character too many", "x".repeat(8193)],
  ])("of characters in one of them is skipped: %s", async (_, dn) => {
    const direct = await signIn({ uid: ["alice"], memberOf: [dn, pushers] });
    expect(direct.identity.groups).toEqual(["pushers", pushers]);
    expect(direct.lines.map(({ message }) => message)).toEqual([
      "skipped 1 value of memberOf: it is longer than 8192 characters",
    ]);
    const searched = await signIn(
      { uid: ["alice"] },
      { groups: { searchBase: base, searchFilter: "(member={{dn}})" } },
      ({ id }) => [searchEntry(id, dn, { cn: ["a"] }), searchEntry(id, pushers, { cn: ["pushers"] }), searchDone(id)],
    );
    expect(searched.identity).toMatchObject({ groups: ["pushers", pushers], ambiguousGroups: ["a"] });
  });
});

describe("usernameCase", () => {
  it("lower gives rules and ${username} the name in lower case, and the groups' filter the directory's", async () => {
    const filters: string[] = [];
    const options: Partial<LdapOptions> = {
      groups: { searchBase: base, searchFilter: "(memberUid={{username}})" },
    };
    const others = ({ id, bytes }: FakeRequest): FakeResponse => {
      filters.push(bytes.toString("latin1"));
      return [searchDone(id)];
    };
    const entry = { uid: ["ALICE"] };
    expect((await signIn(entry, { ...options, usernameCase: "lower" }, others)).identity).toMatchObject({
      username: "alice",
      subject: user,
    });
    expect(filters).toEqual([expect.stringContaining("ALICE")]);
    expect((await signIn(entry, options, others)).identity.username).toBe("ALICE");
    expect((await signIn(entry, { ...options, usernameCase: "keep" }, others)).identity.username).toBe("ALICE");
  });
});

it("says that a directory's names are compared as the directory does, and does so for requiredGroup", async () => {
  const { identity } = await signIn({ uid: ["alice"], memberOf: [pushers] }, { requiredGroup: "PUSHERS" });
  expect(identity.nameMatching).toBe("folded");
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLoginBudget } from "../src/directory/login-directory.ts";
import { type FoundGroup, foundGroup } from "../src/groups/group.ts";
import { rangedValues } from "../src/groups/ranged-values.ts";
import { primaryGroupSid, tokenGroups } from "../src/groups/token-groups.ts";
import { walkUp } from "../src/groups/walk.ts";
import { entryOf, found, type ScriptedSession, scriptedSession } from "./scripted-session.ts";

const { signal } = new AbortController();
const base = "ou=groups,dc=example,dc=org";
const group = (name: string): FoundGroup => foundGroup(`cn=${name},${base}`);
const nameOf = ({ parsedDN }: FoundGroup): string => parsedDN[0]?.[0]?.value ?? "";

describe("a group", () => {
  it.each(["", "pushers", "cn=a\\"])("is none with the DN %j", (dn) => {
    expect(() => foundGroup(dn)).toThrow(expect.objectContaining({ kind: "content" }));
  });

  it("is none with a DN that is too long", () => {
    expect(() => foundGroup(`cn=${"a".repeat(8192)}`)).toThrow(expect.objectContaining({ kind: "content" }));
  });
});

describe("the walk up from groups to those that they are in", () => {
  it("finds what a plain search of the graph finds, circles and all, and asks of none twice", async () => {
    const names = fc.constantFrom(..."abcdefgh");
    const edges = fc.array(fc.tuple(names, names), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(names), edges, async (first, edges) => {
        const asked: string[] = [];
        const walked = await walkUp(first.map(group), async (level) => {
          const here = level.map(nameOf);
          asked.push(...here);
          return edges.flatMap(([child, parent]) => (here.includes(child) ? [group(parent)] : []));
        });
        const reached = new Set(first);
        for (let size = -1; size !== reached.size; ) {
          size = reached.size;
          for (const [child, parent] of edges) if (reached.has(child)) reached.add(parent);
        }
        expect(walked.map(nameOf).sort()).toEqual([...reached].sort());
        expect(asked.sort()).toEqual([...reached].sort());
      }),
    );
  });

  it("takes groups for one that are written differently", async () => {
    const walked = await walkUp([group("a")], async () => [foundGroup(`CN=A, ${base.toUpperCase()}`)]);
    expect(walked).toHaveLength(1);
  });

  it("gives no answer above a depth, or a number, that nobody means", async () => {
    let deeper = 0;
    await expect(walkUp([group("g0")], async () => [group(`g${++deeper}`)])).rejects.toThrow("32 levels");
    const many = Array.from({ length: 10_001 }, (_, index) => group(`g${index}`));
    await expect(walkUp(many, async () => [])).rejects.toThrow("more than 10000 groups");
  });
});

describe("values that come in ranges", () => {
  const values = (from: number, to: number): string[] =>
    Array.from({ length: to - from + 1 }, (_, index) => `cn=g${from + index}`);
  const dn = "cn=alice";

  it("are all there, however many the server gives at a time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 60 }), async (total, step) => {
        const part = (from: number): ReturnType<typeof entryOf> => {
          const last = from + step >= total;
          const name = `memberOf;range=${from}-${last ? "*" : from + step - 1}`;
          // Active Directory gives the attribute without a range as well, and empty.
          return entryOf(dn, { memberOf: [], [name]: values(from, Math.min(from + step, total) - 1) });
        };
        const session = scriptedSession(({ attributes }) =>
          found(part(Number(/range=(\d+)-\*/.exec(attributes[0] ?? "")?.[1]))),
        );
        expect(await rangedValues(session, part(0), "memberOf", signal)).toEqual(values(0, total - 1));
        expect(session.searches).toHaveLength(Math.ceil(total / step) - 1);
      }),
    );
  });

  it("are read as they are where there is no range", async () => {
    const entry = entryOf(dn, { memberof: ["cn=a", "cn=b"] });
    expect(await rangedValues(scriptedSession(), entry, "memberOf", signal)).toEqual(["cn=a", "cn=b"]);
    expect(await rangedValues(scriptedSession(), entryOf(dn), "memberOf", signal)).toEqual([]);
  });

  it.each([
    ["the next part is missing", found()],
    ["the next part has another name", found(entryOf(dn, { memberOf: ["cn=g2"] }))],
    ["the next part begins too late", found(entryOf(dn, { "memberOf;range=3-*": ["cn=g3"] }))],
    ["the next part begins anew", found(entryOf(dn, { "memberOf;range=0-1": values(0, 1) }))],
    ["the next part is empty and not the last", found(entryOf(dn, { "memberOf;range=2-3": [] }))],
    ["the next part begins where this one has", found(entryOf(dn, { "memberOf;range=0-*": values(0, 1) }))],
    ["the next part is no part", found(entryOf(dn, { "memberOf;range=2-": ["cn=g2"] }))],
  ])("are no answer where %s", async (_, answer) => {
    const first = entryOf(dn, { "memberOf;range=0-1": values(0, 1) });
    const reading = rangedValues(
      scriptedSession(() => answer),
      first,
      "memberOf",
      signal,
    );
    await expect(reading).rejects.toThrow("does not give all values of memberOf");
  });

  it.each([1, 7, 5000])("without an end, %d at a time, are given up", async (step) => {
    const part = (from: number): ReturnType<typeof entryOf> =>
      entryOf(dn, { [`memberOf;range=${from}-${from + step - 1}`]: values(from, from + step - 1) });
    const session = scriptedSession(({ attributes }) =>
      found(part(Number(/range=(\d+)-\*/.exec(attributes[0] ?? "")?.[1]))),
    );
    const reading = rangedValues(createLoginBudget(1000).over(session), part(0), "memberOf", signal);
    await expect(reading).rejects.toMatchObject({ kind: "content" });
    expect(session.searches.length).toBeLessThanOrEqual(100);
  });

  it("are given up where there are more at once than anybody has groups", async () => {
    const entry = entryOf(dn, { memberOf: values(0, 10_000) });
    await expect(rangedValues(scriptedSession(), entry, "memberOf", signal)).rejects.toThrow("more than 10000 values");
  });
});

describe("the groups of a token", () => {
  const sids = (count: number): Buffer[] =>
    Array.from({ length: count }, (_, index) => {
      const sid = Buffer.alloc(28, 1);
      sid.writeUInt32LE(index, 24);
      return sid;
    });
  const user = { entry: entryOf("cn=alice"), dn: "cn=alice", parsedDN: [], username: "alice" };
  const search = { base, scope: "sub", nameAttribute: "sAMAccountName" } as const;
  const sessionWith = (count: number): ScriptedSession =>
    scriptedSession(({ attributes }) =>
      attributes.includes("tokenGroups") ? found(entryOf("cn=alice", { tokenGroups: sids(count) })) : found(),
    );

  it("are searched for many at a time, and given up where there are more than anybody has", async () => {
    const many = sessionWith(10_000);
    expect(await tokenGroups(many, user, search, signal)).toEqual([]);
    expect(many.searches).toHaveLength(1 + 50);
    const more = sessionWith(10_001);
    await expect(tokenGroups(more, user, search, signal)).rejects.toMatchObject({ kind: "content" });
    expect(more.searches).toHaveLength(1);
  });
});

describe("the SID of a primary group", () => {
  const sid = Buffer.from("010500000000000515000000112233445566778899aabbcc51040000", "hex");

  it("is that of the domain with another last part", () => {
    const group = primaryGroupSid({ entry: entryOf("", { objectSid: [sid], primaryGroupID: ["513"] }) });
    expect(group.toString("hex")).toBe("010500000000000515000000112233445566778899aabbcc01020000");
    expect(sid.subarray(-4).toString("hex")).toBe("51040000");
  });

  it.each([
    [{ primaryGroupID: ["513"] }],
    [{ objectSid: [sid] }],
    [{ objectSid: [sid], primaryGroupID: ["-1"] }],
    [{ objectSid: [sid], primaryGroupID: ["4294967296"] }],
    [{ objectSid: [sid.subarray(0, 8)], primaryGroupID: ["513"] }],
  ])("is none where %j is all that can be read", (attributes) => {
    expect(() => primaryGroupSid({ entry: entryOf("", attributes) })).toThrow("cannot be read");
  });
});

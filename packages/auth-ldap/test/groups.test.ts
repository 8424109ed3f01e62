import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGroup, type Group } from "../src/groups/group.ts";
import { rangedValues } from "../src/groups/ranged-values.ts";
import { primaryGroupSid } from "../src/groups/token-groups.ts";
import { walkUp } from "../src/groups/walk.ts";
import { entryOf, found, scriptedSession } from "./scripted-session.ts";

const { signal } = new AbortController();
const base = "ou=groups,dc=example,dc=org";
const group = (name: string): Group => createGroup(`cn=${name},${base}`, "cn");

describe("a group", () => {
  it("is called by the name in its DN, whatever other names it has", () => {
    const entry = entryOf("", { cn: ["another", "pushers"] });
    expect(createGroup(`CN=Pushers,${base}`, "cn", entry).names).toEqual(["Pushers"]);
  });

  it("is called by its attribute where that is not in the DN", () => {
    const entry = entryOf("", { gidNumber: ["2001"] });
    expect(createGroup(`cn=posix,${base}`, "gidNumber", entry).names).toEqual(["2001"]);
    expect(createGroup(`cn=posix,${base}`, "gidNumber").names).toEqual([]);
  });

  it("is not called by what reads as a DN", () => {
    expect(createGroup(`cn=cn\\=pushers\\,dc\\=x,${base}`, "cn").names).toEqual([]);
  });

  it.each(["", "pushers", "cn=a\\"])("is none with the DN %j", (dn) => {
    expect(() => createGroup(dn, "cn")).toThrow("the DN of a group that is not understood");
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
          const here = level.map(({ names }) => names[0] ?? "");
          asked.push(...here);
          return edges.flatMap(([child, parent]) => (here.includes(child) ? [group(parent)] : []));
        });
        const reached = new Set(first);
        for (let size = -1; size !== reached.size; ) {
          size = reached.size;
          for (const [child, parent] of edges) if (reached.has(child)) reached.add(parent);
        }
        expect(walked.map(({ names }) => names[0]).sort()).toEqual([...reached].sort());
        expect(asked.sort()).toEqual([...reached].sort());
      }),
    );
  });

  it("takes groups for one that are written differently", async () => {
    const walked = await walkUp([group("a")], async () => [createGroup(`CN=A, ${base.toUpperCase()}`, "cn")]);
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

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { equal, type Filter, sizeOf } from "../src/filter/filter.ts";
import { decideInBatches, takeBatch } from "../src/groups/batches.ts";
import { encodeSearch } from "../src/protocol/requests.ts";

const byName = (name: string): Filter => equal("cn", name);

describe("a batch", () => {
  it("has as many alternatives as a filter may have", () => {
    const names = Array.from({ length: 500 }, (_, index) => `g${index}`);
    expect(takeBatch(names, byName).items).toEqual(names.slice(0, 200));
    expect(takeBatch(names, byName, 7).items).toEqual(names.slice(0, 7));
    expect(takeBatch(["a"], byName).filter).toEqual(byName("a"));
  });

  it("makes a request no longer than servers take, whatever its values are", () => {
    const names = fc.array(fc.string({ unit: "grapheme", maxLength: 3000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(names, (list) => {
        const { items, filter } = takeBatch(list, byName);
        expect(items).toEqual(list.slice(0, items.length));
        const request = encodeSearch(1, { base: "dc=x", scope: "sub", filter, attributes: ["cn"] }, 5);
        expect(request.length).toBeLessThan(65 * 1024);
        expect(request.length).toBeLessThanOrEqual(sizeOf(filter) + 100);
      }),
    );
  });

  it("of one thing that is too long by itself is none", () => {
    const long = "x".repeat(65 * 1024);
    expect(takeBatch(["a", long], byName).items).toEqual(["a"]);
    expect(() => takeBatch([long, "a"], byName)).toThrow(expect.objectContaining({ kind: "content" }));
  });

  it("is as long as its filter says, for every kind of filter", () => {
    const filters: readonly Filter[] = [
      { kind: "and", filters: [equal("cn", "a"), { kind: "not", filter: equal("objectSid", Buffer.alloc(28)) }] },
      { kind: "present", attribute: "objectClass" },
      { kind: "atLeast", attribute: "cn", value: "é".repeat(100) },
      { kind: "substring", attribute: "cn", initial: "a", any: ["b".repeat(200), "c"], final: "" },
      { kind: "extensible", attribute: "member", rule: "1.2.840.113556.1.4.1941", dnAttributes: true, value: "cn=x" },
      { kind: "extensible", attribute: undefined, rule: "2.5.13.2", dnAttributes: false, value: "x" },
    ];
    for (const filter of filters) {
      const request = encodeSearch(1, { base: "dc=x", scope: "sub", filter, attributes: ["cn"] }, 5);
      expect(request.length).toBeLessThanOrEqual(sizeOf(filter) + 100);
    }
  });
});

describe("things that are decided in batches", () => {
  it("are each decided once, or left, whatever the server gives at a time", async () => {
    const settings = fc.record({
      count: fc.nat(600),
      limit: fc.integer({ min: 1, max: 300 }),
      heavy: fc.uniqueArray(fc.nat(599), { maxLength: 3 }),
      mute: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(settings, async ({ count, limit, heavy, mute }) => {
        const names = Array.from({ length: count }, (_, index) => `g${index}`);
        // A heavy one has more entries than the server ever gives.
        const entriesOf = (name: string): number => (heavy.includes(Number(name.slice(1))) ? 1000 : 1);
        const decided: string[] = [];
        let asked = 0;
        const left = await decideInBatches(names, byName, async ({ items }) => {
          asked++;
          const entries = items.reduce((sum, name) => sum + entriesOf(name), 0);
          if (entries > limit) return { entries: mute ? 0 : limit };
          decided.push(...items);
          return "decided";
        });
        expect([...decided, ...left].toSorted()).toEqual(names.toSorted());
        expect(left.every((name) => entriesOf(name) > limit)).toBe(true);
        if (!mute)
          expect(asked).toBeLessThanOrEqual(Math.ceil(count / Math.min(limit, 200)) * 2 + 2 + heavy.length * 20);
      }),
    );
  });
});

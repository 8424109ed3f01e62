import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keyedHash } from "../../src/authenticate/keyed-hash.ts";

describe("a keyed hash", () => {
  const fields = fc.array(
    fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.toWellFormed()),
    { maxLength: 4 },
  );

  test("is the HMAC of the length-prefixed fields", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 64 }), fields, (key, list) => {
        const hmac = createHmac("sha256", key);
        for (const field of list) {
          const length = Buffer.alloc(4);
          length.writeUInt32BE(Buffer.byteLength(field));
          hmac.update(length).update(field, "utf8");
        }
        expect(keyedHash(key)(list)).toBe(hmac.digest("base64"));
      }),
    );
  });

  test("differs for fields with the same concatenation", () => {
    const nameOf = keyedHash();
    const names = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"], ["a", "b", "c"]].map((list) =>
      nameOf(list),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test("differs for any two lists of fields", () => {
    const nameOf = keyedHash();
    const short = fc.array(fc.stringMatching(/^[ab\u0000]{0,3}$/), { maxLength: 4 });
    fc.assert(
      fc.property(short, short, (one, other) => {
        expect(nameOf(one) === nameOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 5000 },
    );
  });

  test("throws for a key longer than a block of the hash", () => {
    expect(() => keyedHash(new Uint8Array(65))).toThrow(RangeError);
  });

  test("differs between processes", () => {
    expect(keyedHash()(["alice", "secret"])).not.toBe(keyedHash()(["alice", "secret"]));
  });
});

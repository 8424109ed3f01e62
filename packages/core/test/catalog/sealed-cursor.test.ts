import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cursorSealer, isSealed } from "../../src/catalog/sealed-cursor.ts";

const sealer = cursorSealer(randomBytes(32));
const text = fc.string({ unit: "grapheme", maxLength: 300 }).filter((cursor) => Buffer.byteLength(cursor) <= 1022);

function sealed(cursor: string, caller: string): string {
  const result = sealer.seal(cursor, caller);
  if (result === undefined) throw new Error("not sealed");
  return result;
}

test("opens what it sealed for the same caller, and nothing for another", () => {
  fc.assert(
    fc.property(text, fc.string(), fc.string(), (cursor, caller, other) => {
      const result = sealed(cursor, caller);
      expect(isSealed(result)).toBe(true);
      expect(sealer.open(result, caller)).toBe(cursor);
      if (other !== caller) expect(sealer.open(result, other)).toBeUndefined();
      expect(cursorSealer(randomBytes(32)).open(result, caller)).toBeUndefined();
    }),
  );
});

test("opens nothing of which a single bit was changed, and nothing that is made up", () => {
  const bytes = Buffer.from(sealed("team/secret", "alice").slice(1), "base64url");
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
    expect(sealer.open(`~${changed.toString("base64url")}`, "alice")).toBeUndefined();
  }
  fc.assert(fc.property(fc.string(), (made) => void expect(sealer.open(`~${made}`, "alice")).toBeUndefined()));
  for (let length = 0; length < bytes.length; length++) {
    expect(sealer.open(`~${bytes.subarray(0, length).toString("base64url")}`, "alice")).toBeUndefined();
  }
});

test("is as long for a short name as for a long one, never the same twice, and needs no encoding in a URL", () => {
  const short = sealed("a", "alice");
  const long = sealed("a".repeat(254), "alice");
  expect(short).toHaveLength(long.length);
  expect(sealed("a", "alice")).not.toBe(short);
  expect(encodeURIComponent(short)).toBe(short);
  expect(sealer.seal("a".repeat(1023), "alice")).toBeUndefined();
});

test.each([undefined, "", "a", "team/app", "a~b"])("%j is no sealed place", (last) => {
  expect(isSealed(last)).toBe(false);
});

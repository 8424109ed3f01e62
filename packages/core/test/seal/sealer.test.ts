import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSealer, isSealed } from "../../src/seal/sealer.ts";

const sealer = createSealer(randomBytes(32));
const anyText = fc.string({ unit: "grapheme", maxLength: 300 }).filter((text) => Buffer.byteLength(text) <= 4606);
const anyContext = fc.array(fc.string(), { maxLength: 3 });

function sealed(text: string, context: readonly string[]): string {
  const result = sealer.seal(text, context);
  if (result === undefined) throw new Error("not sealed");
  return result;
}

test("opens sealed text for the same context and key only", () => {
  fc.assert(
    fc.property(anyText, anyContext, anyContext, (text, context, other) => {
      const result = sealed(text, context);
      expect(isSealed(result)).toBe(true);
      expect(sealer.open(result, context)).toBe(text);
      if (JSON.stringify(other) !== JSON.stringify(context)) expect(sealer.open(result, other)).toBeUndefined();
      expect(createSealer(randomBytes(32)).open(result, context)).toBeUndefined();
    }),
  );
});

test("distinguishes contexts with the same concatenation", () => {
  const result = sealed("text", ["list-tags", "team/app"]);
  for (const other of [["list-tags", "team", "app"], ["list-tagsteam/app"], ["list-tags", "team/app", ""], []]) {
    expect(sealer.open(result, other)).toBeUndefined();
  }
});

test("opens neither modified nor made-up text", () => {
  const bytes = Buffer.from(sealed("team/secret", ["alice"]).slice(1), "base64url");
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
    expect(sealer.open(`~${changed.toString("base64url")}`, ["alice"])).toBeUndefined();
  }
  // The last character has bits that say nothing: there is one spelling all the same.
  const text = `~${bytes.toString("base64url")}`;
  const spellings = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    .map((last) => text.slice(0, -1) + last)
    .filter((spelling) => sealer.open(spelling, ["alice"]) !== undefined);
  expect(spellings).toEqual([text]);
  fc.assert(fc.property(fc.string(), (made) => void expect(sealer.open(`~${made}`, ["alice"])).toBeUndefined()));
  for (let length = 0; length < bytes.length; length++) {
    expect(sealer.open(`~${bytes.subarray(0, length).toString("base64url")}`, ["alice"])).toBeUndefined();
  }
});

test("hides the length of a text, is never the same twice, and needs no encoding in a URL", () => {
  const short = sealed("a", ["alice"]);
  expect(short).toHaveLength(sealed("a".repeat(254), ["alice"]).length);
  expect(sealed("a", ["alice"])).not.toBe(short);
  expect(encodeURIComponent(short)).toBe(short);
});

test("seals texts of up to 4,606 bytes", () => {
  const longest = sealed("a".repeat(4606), ["alice"]);
  expect([longest.length, isSealed(longest)]).toEqual([6183, true]);
  expect(sealer.open(longest, ["alice"])).toBe("a".repeat(4606));
  expect(sealer.seal("a".repeat(4607), ["alice"])).toBeUndefined();
  expect(isSealed(`${longest}A`)).toBe(false);
});

test.each([undefined, "", "a", "team/app", "a~b", "~/", "~a=", "~ ", "~\u00e9"])("%j is no sealed text", (text) => {
  expect(isSealed(text)).toBe(false);
});

import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAuthorization } from "../../src/identify/authorization.ts";
import { keyedHash } from "../../src/identify/keyed-hash.ts";

const encoded = (text: string | Uint8Array): string => Buffer.from(text).toString("base64");

describe("an Authorization header", () => {
  test.each([
    [`Basic ${encoded("alice:secret")}`, "alice", "secret"],
    [`bAsIc ${encoded("alice:secret")}`, "alice", "secret"],
    [`Basic   ${encoded("alice:secret")}`, "alice", "secret"],
    [`Basic ${encoded("alice:a:b:c")}`, "alice", "a:b:c"],
    [`Basic ${encoded("älice:pässwörd")}`, "älice", "pässwörd"],
    [`Basic ${encoded("a\u0308lice:pa\u0308ss")}`, "älice", "päss"],
    [`Basic ${encoded(" alice : secret ")}`, " alice ", " secret "],
  ])("%s is read", (header, username, password) => {
    expect(parseAuthorization(header)).toEqual({ scheme: "basic", username, password });
  });

  test.each(["abc", "a.b.c", "A-._~+/=="])("with the token %s is read", (token) => {
    expect(parseAuthorization(`Bearer ${token}`)).toEqual({ scheme: "bearer", token });
    expect(parseAuthorization(`bearer ${token}`)).toEqual({ scheme: "bearer", token });
  });

  test.each<[string, string]>([
    ["nothing", ""],
    ["no credentials", "Basic"],
    ["no credentials after the blank", "Basic "],
    ["another scheme", "Digest username=alice"],
    ["no colon", `Basic ${encoded("alice")}`],
    ["an empty user name", `Basic ${encoded(":secret")}`],
    ["an empty password", `Basic ${encoded("alice:")}`],
    ["nothing but a colon", `Basic ${encoded(":")}`],
    ["a line end", `Basic ${encoded("alice:se\ncret")}`],
    ["NUL", `Basic ${encoded("alice\u0000:secret")}`],
    ["DEL", `Basic ${encoded("alice\u007f:secret")}`],
    ["a C1 control", `Basic ${encoded("alice:\u0085secret")}`],
    ["Latin-1", `Basic ${encoded(Buffer.from("älice:secret", "latin1"))}`],
    ["over-long UTF-8", `Basic ${encoded(Buffer.from([0x61, 0x3a, 0xc0, 0xaf]))}`],
    ["a lone surrogate", `Basic ${encoded(Buffer.from([0x61, 0x3a, 0xed, 0xa0, 0x80]))}`],
    ["no padding", `Basic ${encoded("alice:secre").replace(/=+$/, "")}`],
    ["padding with something in it", "Basic YTpiY2N="],
    ["Base64 for URLs", "Basic YTo_Pz8_"],
    ["a blank inside", `Basic ${encoded("alice:secret").replace(/^(.{4})/, "$1 ")}`],
    ["something after", `Basic ${encoded("alice:secret")} x`],
    ["two schemes", `Basic ${encoded("alice:secret")}, Bearer x`],
    ["a token with a comma", "Bearer a,b"],
    ["a user name of 513 characters", `Basic ${encoded(`${"a".repeat(513)}:b`)}`],
    ["more than any password has", `Basic ${encoded(`a:${"b".repeat(20_000)}`)}`],
  ])("with %s is not", (_, header) => {
    expect(parseAuthorization(header)).toBeUndefined();
  });

  test("never makes the parser throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom("", "Basic ", "Bearer "), (text, scheme) => {
        parseAuthorization(scheme + text);
        parseAuthorization(`Basic ${encoded(text)}`);
      }),
      { numRuns: 2000 },
    );
  });

  test("that was read holds just what was written", () => {
    const part = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map((text) => text.normalize("NFC"));
    fc.assert(
      fc.property(part, part, (username, password) => {
        const read = parseAuthorization(`Basic ${encoded(`${username}:${password}`)}`);
        if (read === undefined) return;
        if (read.scheme !== "basic") throw new Error("another scheme");
        expect(`${read.username}:${read.password}`).toBe(`${username}:${password}`);
        expect(read.username).not.toContain(":");
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a keyed hash", () => {
  const fields = fc.array(
    fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.toWellFormed()),
    { maxLength: 4 },
  );

  test("is the HMAC of the fields, each preceded by its length", () => {
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

  test("tells fields apart that would be one text", () => {
    const nameOf = keyedHash();
    const names = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"], ["a", "b", "c"]].map((list) =>
      nameOf(list),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test("of another process is another", () => {
    expect(keyedHash()(["alice", "secret"])).not.toBe(keyedHash()(["alice", "secret"]));
  });
});

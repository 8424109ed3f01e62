import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOpaqueToken, isOpaqueToken, opaqueTokenDigest } from "../src/index.ts";

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

describe("an opaque token", () => {
  it("has the prefix, and 49 letters and digits behind it", () => {
    for (let count = 0; count < 200; count++) expect(createOpaqueToken("rga_")).toMatch(/^rga_[0-9A-Za-z]{49}$/);
  });

  it("is another one each time, and has the form that is asked for", () => {
    const tokens = Array.from({ length: 200 }, () => createOpaqueToken("rga_"));
    expect(new Set(tokens).size).toBe(200);
    expect(tokens.every((token) => isOpaqueToken("rga_", token))).toBe(true);
  });

  it("has no form once a character of it is another", () => {
    fc.assert(
      fc.property(fc.nat(48), fc.constantFrom(...alphanumeric), (index, character) => {
        const token = createOpaqueToken("rga_");
        const at = index + 4;
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        expect(isOpaqueToken("rga_", changed)).toBe(changed === token);
      }),
    );
  });

  it("is none of another prefix, though the rest is the same", () => {
    expect(isOpaqueToken("rgr_", createOpaqueToken("rga_"))).toBe(false);
    expect(isOpaqueToken("rgr_", createOpaqueToken("rga_").replace("rga_", "rgr_"))).toBe(false);
  });

  it("is no other text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => !isOpaqueToken("rga_", text)));
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...alphanumeric), minLength: 49, maxLength: 49 }), (text) => {
        // One in 57 billion has the right checksum by chance.
        expect(isOpaqueToken("rga_", `rga_${text}`)).toBe(false);
      }),
    );
    const token = createOpaqueToken("rga_");
    for (const text of [`${token}\n`, ` ${token}`, `${token}a`, token.slice(0, -1), "rga_", ""]) {
      expect(isOpaqueToken("rga_", text)).toBe(false);
    }
  });

  it("is stored as its SHA-256", () => {
    expect(opaqueTokenDigest("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});

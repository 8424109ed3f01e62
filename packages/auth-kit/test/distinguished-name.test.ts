import { canonicalDN, foldValue, isWithin, parseDN } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const base = "dc=example,dc=org";

/** Text without what two of which are taken for one. */
const plain = fc
  .string({ unit: fc.constantFrom(...'abcxyz019 ,+"\\<>;=#*()é東\0\u0007'.split("")), minLength: 1, maxLength: 12 })
  .filter((text) => text.trim() === text && !/\s\s/.test(text));

/** Writes a value with each character escaped in one of the ways that RFC 4514 allows. */
const escaped = (text: string, ways: readonly number[]): string =>
  [...text]
    .map((character, index) => {
      const way = ways[index % ways.length] ?? 0;
      const pairs = [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
      if (way === 0 || /[\0-\x1f]/.test(character)) return pairs;
      if (' "#+,;<=>\\'.includes(character)) return way === 1 ? `\\${character}` : pairs.toUpperCase();
      return character;
    })
    .join("");

describe("a distinguished name", () => {
  it.each([
    ["uid=alice,ou=people,dc=example,dc=org", "UID=Alice , OU = People,DC=example,dc=ORG"],
    ["cn=a\\,b,dc=x", "CN=A\\2Cb,DC=x"],
    ["cn=a\\,b,dc=x", "CN=a\\,B,DC=x"],
    ["cn=two words,dc=x", "cn=two   words,dc=x"],
    ["cn=lead,dc=x", "cn=\\20lead\\20,dc=x"],
    ["cn=\\#hash,dc=x", "cn=\\23hash,dc=x"],
    ["cn=zoë ångström 東京,dc=x", "CN=Zo\\C3\\AB Ångström 東京,DC=x"],
    ["cn=a+uid=b,dc=x", "uid=B+cn=A,dc=x"],
    ["cn=x", "2.5.4.3=x"],
    ["cn=hi", "cn=#04024869"],
    ["1.2.3=#0500", "1.2.3=#0500"],
    ['cn=a\\<b\\>\\;\\"\\\\,dc=x', 'cn=a\\3cb\\>\\3B\\"\\5C,dc=x'],
    ["cn=,dc=x", "cn=,dc=x"],
  ])("is written as %s for %s", (canonical, text) => {
    expect(canonicalDN(text)).toBe(canonical);
  });

  it.each([
    ["alice"],
    ["EXTERNAL"],
    ["cn"],
    ["=x"],
    ["cn=x,"],
    [",cn=x"],
    ["cn=x,,dc=y"],
    ["cn=x+,dc=y"],
    ["c n=x"],
    ["cn=a;b"],
    ['cn="a"'],
    ["cn=a<b"],
    ["cn=a\0"],
    ["cn=a\\"],
    ["cn=a\\4"],
    ["cn=a\\ff"],
    ["cn=#0"],
    ["cn=#zz"],
    ["cn=#0401x"],
    [""],
  ])("is not %j", (text) => {
    expect(canonicalDN(text)).toBeUndefined();
  });

  it("has its values back as they were before they were escaped, in whatever way", () => {
    fc.assert(
      fc.property(plain, plain, fc.array(fc.nat(2), { minLength: 1 }), (first, second, ways) => {
        const parsed = parseDN(`cn=${escaped(first, ways)} , ou=${escaped(second, ways)},${base}`);
        // A plain # at the beginning begins something else, and is always escaped above.
        expect(parsed?.map((rdn) => rdn[0]?.value)).toEqual([first, second, "example", "org"]);
      }),
    );
  });

  it("has one canonical form, which is its own", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 20 }),
        fc.array(fc.nat(2), { minLength: 1 }),
        (value, ways) => {
          fc.pre(value.isWellFormed());
          const one = canonicalDN(`cn=${escaped(value, [0])},${base}`);
          expect(one).toBeDefined();
          expect(
            canonicalDN(
              `CN=${escaped(
                value,
                ways.map((way) => way % 2),
              )}, DC=Example,dc=org`,
            ),
          ).toBe(one);
          expect(canonicalDN(one ?? "")).toBe(one);
        },
      ),
    );
  });

  it("never reads one value as several, and never takes different values for one", () => {
    fc.assert(
      fc.property(plain, plain, (first, second) => {
        fc.pre(first !== second);
        const dn = (value: string): string => `cn=${escaped(value, [0])},${base}`;
        expect(parseDN(dn(first))).toHaveLength(3);
        expect(canonicalDN(dn(first))).not.toBe(canonicalDN(dn(second)));
      }),
    );
  });

  it("survives any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'cn=, +\\#;"2Cf\0é') }), (text) => {
        const canonical = canonicalDN(text);
        if (canonical !== undefined) expect(canonicalDN(canonical)).toBe(canonical);
      }),
    );
  });

  it("is within a base by whole components alone", () => {
    const within = (dn: string, of: string): boolean => isWithin(parseDN(dn) ?? [], parseDN(of) ?? []);
    expect(within(`cn=a,ou=groups,${base}`, `OU=Groups, ${base.toUpperCase()}`)).toBe(true);
    expect(within(`ou=groups,${base}`, `ou=groups,${base}`)).toBe(true);
    expect(within(base, `ou=groups,${base}`)).toBe(false);
    expect(within(`cn=a,ou=x-groups,${base}`, `ou=groups,${base}`)).toBe(false);
    expect(within(`cn=ou\\=groups\\,${base.replaceAll(",", "\\,")},dc=evil`, `ou=groups,${base}`)).toBe(false);
  });
});

describe("a distinguished name of a megabyte", () => {
  const length = 1_000_000;
  const fill = (unit: string): string => unit.repeat(length / unit.length);

  // What takes the square of the length would take minutes.
  it.each([
    ["combining marks", `cn=a${fill("\u0301\u0316")},dc=x`],
    ["combining marks behind an escape", `cn=\\20a${fill("\u0301\u0316")},dc=x`],
    ["half-width sound marks", `cn=a${fill("\uff9e\u0301")},dc=x`],
    ["combining marks and letters", `cn=${fill("a\u0301\u0316")},dc=x`],
    ["final sigmas", `cn=${fill("Σ\u0301")},dc=x`],
    ["hexadecimal digits", `cn=#${fill("00")},dc=x`],
    ["hexadecimal values", `${fill("cn=#00,")}dc=x`],
    ["escaped pairs", `cn=${fill("\\2c")},dc=x`],
    ["escaped spaces", `cn=${fill("\\ ")},dc=x`],
    ["RDNs", `${fill("cn=a,")}dc=x`],
    ["AVAs", `cn=x${fill("+cn=a")},dc=x`],
    ["words", `cn=${fill("a ")}é,dc=x`],
    ["spaces", `cn=x${fill(" ")}\\20x,dc=x`],
    ["digits of an OID", `1${fill(".1")}=x`],
  ])("is read and written in time where it consists of %s", (_, text) => {
    const canonical = canonicalDN(text);
    expect(canonical).toBeDefined();
    expect(canonicalDN(canonical ?? "")).toBe(canonical);
  });

  it.each([
    ["no equals sign", fill("a,")],
    ["commas alone", `cn=x${fill(",")}`],
    ["an odd number of digits", `cn=#0${fill("00")},dc=x`],
    ["a half of a character", `cn=${fill("a")}\ud800<,dc=x`],
  ])("is refused in time where it has %s", (_, text) => {
    expect(canonicalDN(text)).toBeUndefined();
  });
});

describe("a folded value", () => {
  it.each([
    ["Alice", "alice"],
    ["  Two   Words ", "two words"],
    ["ﬁne", "fine"],
    ["ＡＢＣ", "abc"],
    ["ΟΔΟΣ", "οδοσ"],
    ["Zoe\u0308", "zoë"],
  ])("of %j is %j", (value, folded) => {
    expect(foldValue(value)).toBe(folded);
  });

  it("is folded without normalization where more than 30 combining marks follow each other", () => {
    const marks = (count: number): string => "\u0301\u0316".repeat(count / 2);
    expect(foldValue(`E${marks(30)}`)).toBe(foldValue(`E${marks(30)}`.normalize("NFD")));
    expect(foldValue(`E${marks(32)}  X `)).toBe(`e${marks(32)} x`);
  });

  it("is its own", () => {
    const unit = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 1 }),
      fc.constantFrom("\u0301".repeat(31), "İ", "Σ"),
    );
    fc.assert(
      fc.property(fc.string({ unit }), (value) => {
        expect(foldValue(foldValue(value))).toBe(foldValue(value));
      }),
    );
  });
});

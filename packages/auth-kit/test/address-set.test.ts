import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressBlock, addressFault, addressSet, plainAddress } from "../src/index.ts";

/** The 128 bits of an address as text, IPv4 as the mapped address; written here a second time, on purpose. */
function bitsOf(address: string): string {
  const { hostname } = new URL(`http://[${isIP(address) === 4 ? `::ffff:${address}` : address}]`);
  const [head = "", tail] = hostname.slice(1, -1).split("::");
  const words = (text: string | undefined): string[] => (text ? text.split(":") : []);
  const gap = tail === undefined ? 0 : 8 - words(head).length - words(tail).length;
  return [...words(head), ...Array.from({ length: gap }, () => "0"), ...words(tail)]
    .map((word) => Number.parseInt(word, 16).toString(2).padStart(16, "0"))
    .join("");
}

/** An IPv4 address in one of its spellings as an IPv4-mapped address. */
const spellings: readonly ((address: string) => string)[] = [
  (address) => address,
  (address) => `::ffff:${address}`,
  (address) => `::FFFF:${address}`,
  (address) => `0:0:0:0:0:ffff:${address}`,
  (address) => `0000:0000::ffff:${address}`,
  (address) => `::ffff:${hexadecimal(address, false)}`,
  (address) => `::ffff:${hexadecimal(address, true)}`,
  (address) => `0:0:0:0:0:FFFF:${hexadecimal(address, true).toUpperCase()}`,
];

function hexadecimal(address: string, padded: boolean): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return [a * 256 + b, c * 256 + d].map((word) => word.toString(16).padStart(padded ? 4 : 1, "0")).join(":");
}

const spelling = fc.constantFrom(...spellings);
const ipv6 = fc.ipV6().filter((address) => !bitsOf(address).startsWith("0".repeat(80) + "1".repeat(16)));

describe("an IPv4 address", () => {
  test("is the same in every spelling as an IPv4-mapped address", () => {
    fc.assert(
      fc.property(fc.ipV4(), spelling, (address, spell) => {
        expect(plainAddress(spell(address))).toBe(address);
      }),
    );
  });

  test("is in a block by its bits, however both are written", () => {
    fc.assert(
      fc.property(
        fc.ipV4(),
        fc.ipV4(),
        fc.integer({ min: 0, max: 32 }),
        spelling,
        spelling,
        (network, address, prefix, one, other) => {
          const written = one(network) === network ? `${network}/${prefix}` : `${one(network)}/${prefix + 96}`;
          expect(addressBlock(written)).toEqual({ family: "ipv4", address: network, prefix });
          const expected = bitsOf(network).slice(0, 96 + prefix) === bitsOf(address).slice(0, 96 + prefix);
          expect(addressSet([written]).has(other(address))).toBe(expected);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test.each(["10.0.0.7", "::ffff:0a00:7", "::ffff:10.0.0.7", "::ffff:0a00:0/104", "::ffff:10.0.0.0/104", "10.0.0.0/8"])(
    "10.0.0.7 is trusted by the entry %s, in every spelling",
    (entry) => {
      const set = addressSet([entry]);
      for (const spell of spellings) expect(set.has(spell("10.0.0.7")), spell("10.0.0.7")).toBe(true);
      for (const spell of spellings) expect(set.has(spell("11.0.0.7")), spell("11.0.0.7")).toBe(false);
    },
  );
});

describe("an IPv6 address", () => {
  test("is in a block by its bits", () => {
    const near = fc.tuple(ipv6, ipv6, fc.integer({ min: 0, max: 128 }));
    fc.assert(
      fc.property(near, ([network, address, prefix]) => {
        const expected = bitsOf(network).slice(0, prefix) === bitsOf(address).slice(0, prefix);
        expect(addressSet([`${network}/${prefix}`]).has(address)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test("that is not mapped stays as it is", () => {
    fc.assert(
      fc.property(ipv6, (address) => {
        expect(plainAddress(address)).toBe(address);
      }),
    );
  });

  test("of a peer may have a zone, which does not count", () => {
    expect(addressSet(["fe80::/10"]).has("fe80::1%eth0")).toBe(true);
    expect(addressSet(["fe80::/10"]).has("fec0::1%eth0")).toBe(false);
  });
});

test("an entry that is without fault makes a set, and a set tells of any text whether it is in it", () => {
  const entry = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc
      .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: -1, max: 130 }))
      .map(([address, bits]) => `${address}/${bits}`),
    fc.tuple(fc.ipV4(), spelling, fc.integer({ min: 90, max: 130 })).map(([a, spell, bits]) => `${spell(a)}/${bits}`),
    fc.stringMatching(/^[0-9a-f.:%/]{0,20}$/),
    fc.string({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(entry, entry, (text, asked) => {
      if (addressFault(text) === undefined) expect(addressSet([text]).has(asked)).toBeTypeOf("boolean");
      else expect(() => addressSet([text])).toThrow(SyntaxError);
    }),
    { numRuns: 5000 },
  );
});

test("a single address that is without fault is in the set of it alone", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.tuple(fc.ipV4(), spelling).map(([a, spell]) => spell(a)),
      ),
      (entry) => {
        fc.pre(addressFault(entry) === undefined);
        expect(addressSet([entry]).has(entry)).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});

test("a wide block of one family holds no address of the other", () => {
  expect(addressSet(["::/0"]).has("203.0.113.7")).toBe(false);
  expect(addressSet(["::/0"]).has("::ffff:203.0.113.7")).toBe(false);
  expect(addressSet(["0.0.0.0/0"]).has("2001:db8::1")).toBe(false);
});

test("a set of addresses takes single ones, blocks and Unix sockets", () => {
  const set = addressSet(["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "::ffff:198.51.100.1"]);
  for (const address of ["192.0.2.1", "10.255.0.1", "2001:db8:1::1", "198.51.100.1"])
    expect(set.has(address), address).toBe(true);
  for (const address of ["192.0.2.2", "11.0.0.1", "2001:db9::1", ""]) expect(set.has(address), address).toBe(false);
  expect(set.unixSocket).toBe(false);
  expect(set.hasPeer({ address: undefined, unixSocket: true })).toBe(false);
  expect(set.hasPeer({ address: "10.0.0.7", unixSocket: false })).toBe(true);
});

test("a peer without an address belongs to a set with unix: only where it is on a Unix socket", () => {
  const set = addressSet(["unix:"]);
  expect(set.unixSocket).toBe(true);
  expect(set.hasPeer({ address: undefined, unixSocket: true })).toBe(true);
  expect(set.hasPeer({ address: undefined, unixSocket: false })).toBe(false);
});

test.each([
  "all",
  "10.0.0.0/33",
  "10.0.0/8",
  "10.0.0.0/",
  "10.0.0.0/-1",
  "10.0.0.0/0008",
  "10.0.0.0/8/8",
  "::/129",
  "::ffff:10.0.0.0/95",
  "::ffff:10.0.0.0/129",
  "example.com",
  "unix:/path",
  "",
])("%j is no address", (entry) => {
  expect(addressFault(entry)).toBe("must be an IP address, a CIDR block such as 10.0.0.0/8, or unix:");
  expect(() => addressSet([entry])).toThrow(SyntaxError);
});

test.each(["fe80::1%eth0", "fe80::%eth0/10", "::ffff:10.0.0.7%eth0"])("%s is a fault for its zone", (entry) => {
  expect(addressFault(entry)).toBe("must be an address without a zone: write fe80::1, or a block such as fe80::/10");
  expect(() => addressSet([entry])).toThrow("without a zone");
});

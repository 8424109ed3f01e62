import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { clientNetwork } from "../src/index.ts";

it.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["::FFFF:cb00:7107", "203.0.113.7"],
  [undefined, "unix:"],
  ["no address", "no address"],
])("names the network of %s %s", (address, network) => {
  expect(clientNetwork(address)).toBe(network);
});

it.each([
  ["2001:db8:0:1::1", "2001:0DB8::1:ffff:ffff:ffff:ffff"],
  ["fe80::1%eth0", "fe80:0:0:0:1::1%eth1"],
  ["::1", "0:0:0:0:0:0:0:2"],
  ["2001:db8::192.0.2.1", "2001:db8::"],
])("takes %s and %s for one network", (one, other) => {
  expect(clientNetwork(one)).toBe(clientNetwork(other));
});

it.each([
  ["2001:db8:0:1::1", "2001:db8:0:2::1"],
  ["::1", "1::"],
  ["203.0.113.7", "203.0.113.8"],
])("tells %s from %s", (one, other) => {
  expect(clientNetwork(one)).not.toBe(clientNetwork(other));
});

it("puts two addresses into one network exactly where a CIDR block does", () => {
  const prefixes = fc.integer({ min: 1, max: 128 });
  const near = fc
    .tuple(fc.ipV6(), fc.ipV6(), fc.boolean())
    .map(([one, other, same]) => [one, same ? one.replace(/[0-9a-f]{1,2}$/i, "1") : other] as const)
    .filter((pair) => pair.every((address) => isIP(address) === 6));
  fc.assert(
    fc.property(near, prefixes, ([one, other], prefix) => {
      const block = new BlockList();
      block.addSubnet(one, prefix, "ipv6");
      fc.pre(!isMapped(one) && !isMapped(other));
      expect(clientNetwork(one, prefix) === clientNetwork(other, prefix)).toBe(block.check(other, "ipv6"));
    }),
    { numRuns: 500 },
  );
});

function isMapped(address: string): boolean {
  const mapped = new BlockList();
  mapped.addSubnet("::ffff:0:0", 96, "ipv6");
  return mapped.check(address, "ipv6");
}

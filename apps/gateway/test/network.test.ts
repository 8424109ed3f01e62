import { SocketAddress } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { networkOf } from "../src/server/network.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::FFFF:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:0001:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::9", "2001:db8:0:0::/64"],
  ["2001:db8::2:3:4:5:9", "2001:db8:0:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["64:ff9b::192.0.2.7", "64:ff9b:0:0::/64"],
])("counts %s by %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("counts every address of a network of 64 bits as one, in any spelling, and of another one apart", () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  const groups = (length: number): fc.Arbitrary<number[]> => fc.array(group, { minLength: length, maxLength: length });
  const spelt = (numbers: readonly number[]): string => numbers.map((number) => number.toString(16)).join(":");
  // As the system writes it, with zeros left out.
  const short = (text: string): string => new SocketAddress({ address: text, family: "ipv6" }).address;
  fc.assert(
    fc.property(groups(4), groups(4), groups(4), groups(4), (network, host, otherHost, otherNetwork) => {
      fc.pre(network.some((number) => number !== 0));
      const address = spelt([...network, ...host]);
      const neighbour = spelt([...network, ...otherHost]);
      expect(networkOf(short(address))).toBe(networkOf(address));
      expect(networkOf(neighbour)).toBe(networkOf(address));
      const stranger = networkOf(spelt([...otherNetwork, ...host]));
      expect(stranger === networkOf(address)).toBe(spelt(network) === spelt(otherNetwork));
    }),
  );
});

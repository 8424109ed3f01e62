import { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { addressFault, addressSet, clientOf, isAuthority } from "../src/peer.ts";

function from(address: string | undefined, headers: Record<string, string> = {}) {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: address });
  return { socket, headers: { host: "registry.example.com", ...headers } };
}

const nobody = addressSet([]);
const balancers = addressSet(["10.0.0.0/8", "fd00::/8", "unix:"]);

describe("the client", () => {
  test("is the peer, whatever it says, unless the peer is trusted", () => {
    const spoofed = {
      "x-forwarded-for": "1.2.3.4",
      "x-real-ip": "1.2.3.4",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example.com",
    };
    expect(clientOf(from("203.0.113.7", spoofed), balancers)).toEqual({
      address: "203.0.113.7",
      realAddress: "203.0.113.7",
      forwardedFor: "203.0.113.7",
      scheme: "http",
      host: "registry.example.com",
      forwardedHost: undefined,
    });
  });

  test("is whom a trusted balancer names, and the chain is kept and appended to", () => {
    const said = {
      "x-forwarded-for": "1.1.1.1, 203.0.113.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "registry.example.com:8443",
      "x-real-ip": "203.0.113.7",
    };
    expect(clientOf(from("10.1.2.3", said), balancers)).toEqual({
      address: "203.0.113.7",
      realAddress: "203.0.113.7",
      forwardedFor: "1.1.1.1, 203.0.113.7, 10.1.2.3",
      scheme: "https",
      host: "registry.example.com:8443",
      forwardedHost: "registry.example.com:8443",
    });
  });

  test.each([
    ["the first from the right that is not trusted", "6.6.6.6, 203.0.113.7, 10.0.0.9, 10.0.0.8", "203.0.113.7"],
    ["the leftmost where all are trusted", "10.0.0.9, 10.0.0.8", "10.0.0.9"],
    ["the last before something that is no address", "6.6.6.6, unknown, 10.0.0.8", "10.0.0.8"],
    ["the peer where nothing is said", "", "10.1.2.3"],
    ["the peer where nothing usable is said", "spoofed", "10.1.2.3"],
    ["an IPv6 address", "2001:db8::1", "2001:db8::1"],
    ["an IPv4-mapped address, as IPv4", "::ffff:203.0.113.7", "203.0.113.7"],
  ])("behind trusted balancers is %s", (_, chain, address) => {
    expect(clientOf(from("10.1.2.3", { "x-forwarded-for": chain }), balancers).address).toBe(address);
  });

  test("is told by IPv4 on a socket of both families", () => {
    expect(clientOf(from("::ffff:10.1.2.3", { "x-forwarded-for": "203.0.113.7" }), balancers).address).toBe(
      "203.0.113.7",
    );
    expect(clientOf(from("::ffff:203.0.113.9", { "x-forwarded-for": "1.1.1.1" }), balancers).address).toBe(
      "203.0.113.9",
    );
  });

  test("on a Unix socket is trusted only where it is said", () => {
    const said = { "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https" };
    expect(clientOf(from(undefined, said), balancers)).toMatchObject({ address: "203.0.113.7", scheme: "https" });
    expect(clientOf(from(undefined, said), nobody)).toMatchObject({ address: undefined, scheme: "http" });
  });

  test("does not choose the scheme or host by nonsense, not even behind a balancer", () => {
    const said = { "x-forwarded-proto": "javascript", "x-forwarded-host": "a/b?c", "x-real-ip": "me" };
    expect(clientOf(from("10.1.2.3", said), balancers)).toMatchObject({
      scheme: "http",
      host: "registry.example.com",
      forwardedHost: undefined,
      realAddress: "10.1.2.3",
    });
  });
});

test("a set of addresses takes single ones, blocks and Unix sockets", () => {
  const set = addressSet(["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "::ffff:198.51.100.1"]);
  for (const address of ["192.0.2.1", "10.255.0.1", "2001:db8:1::1", "198.51.100.1"])
    expect(set.has(address), address).toBe(true);
  for (const address of ["192.0.2.2", "11.0.0.1", "2001:db9::1", ""]) expect(set.has(address), address).toBe(false);
  expect(set.local).toBe(false);
});

test.each(["all", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "::/129", "example.com", "unix:/path", ""])(
  "%j is no address",
  (entry) => {
    expect(addressFault(entry)).toEqual(expect.any(String));
    expect(() => addressSet([entry])).toThrow(SyntaxError);
  },
);

test("a Host is a name or an address, perhaps with a port", () => {
  for (const host of ["a", "registry.example.com:5000", "127.0.0.1", "[::1]:5000"])
    expect(isAuthority(host)).toBe(true);
  for (const host of ["", "a b", "a/b", "a@b", "a:b", "a:123456", "[::1", "a\r\nb", "a#b", "a,b"])
    expect(isAuthority(host), host).toBe(false);
});

import { once } from "node:events";
import { connect, createServer, isIP, Socket } from "node:net";
import { addressSet } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { clientOf } from "../../src/client/client.ts";
import { isGone, isUnixSocket, peerAddress } from "../../src/client/peer.ts";
import { authority } from "../../src/grammar/authority.ts";

function from(address: string | undefined, headers: Record<string, string> = {}) {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: address });
  return { socket, headers: { host: "registry.example.com", ...headers } };
}

const nobody = addressSet([]);
const balancers = addressSet(["10.0.0.0/8", "fd00::/8", "unix:"]);

describe("the client", () => {
  test("is the peer, whatever its headers say, unless the peer is trusted", () => {
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

  test("is the address from a trusted proxy, and the chain is forwarded with the peer appended", () => {
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

  test("is the X-Real-IP of a trusted proxy, whatever the chain says", () => {
    const said = { "x-forwarded-for": "203.0.113.7", "x-real-ip": "198.51.100.9" };
    expect(clientOf(from("10.1.2.3", said), balancers)).toMatchObject({
      address: "203.0.113.7",
      realAddress: "198.51.100.9",
    });
    expect(clientOf(from("192.0.2.1", said), balancers).realAddress).toBe("192.0.2.1");
  });

  test.each([
    ["the first from the right that is not trusted", "6.6.6.6, 203.0.113.7, 10.0.0.9, 10.0.0.8", "203.0.113.7"],
    ["the leftmost where all are trusted", "10.0.0.9, 10.0.0.8", "10.0.0.9"],
    ["the last before something that is no address", "6.6.6.6, unknown, 10.0.0.8", "10.0.0.8"],
    ["the peer where nothing is said", "", "10.1.2.3"],
    ["the peer where nothing usable is said", "spoofed", "10.1.2.3"],
    ["an IPv6 address", "2001:db8::1", "2001:db8::1"],
    ["an IPv4-mapped address, as IPv4", "::ffff:203.0.113.7", "203.0.113.7"],
    ["an IPv4-mapped address in hexadecimal, as IPv4", "::ffff:cb00:7107", "203.0.113.7"],
    ["the one before a trusted address in hexadecimal", "203.0.113.7, ::ffff:0a00:0009", "203.0.113.7"],
  ])("behind trusted balancers is %s", (_, chain, address) => {
    expect(clientOf(from("10.1.2.3", { "x-forwarded-for": chain }), balancers).address).toBe(address);
  });

  test("has an IPv4 address on a dual-stack socket", () => {
    expect(clientOf(from("::ffff:10.1.2.3", { "x-forwarded-for": "203.0.113.7" }), balancers).address).toBe(
      "203.0.113.7",
    );
    expect(clientOf(from("::ffff:203.0.113.9", { "x-forwarded-for": "1.1.1.1" }), balancers).address).toBe(
      "203.0.113.9",
    );
  });

  test("on a Unix socket is trusted only where unix: is configured", () => {
    const said = { "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https" };
    expect(clientOf(from(undefined, said), balancers)).toMatchObject({ address: "203.0.113.7", scheme: "https" });
    expect(clientOf(from(undefined, said), nobody)).toMatchObject({ address: undefined, scheme: "http" });
  });

  test("cannot set the scheme or host by an invalid value, not even behind a trusted proxy", () => {
    const said = { "x-forwarded-proto": "javascript", "x-forwarded-host": "a/b?c", "x-real-ip": "me" };
    expect(clientOf(from("10.1.2.3", said), balancers)).toMatchObject({
      scheme: "http",
      host: "registry.example.com",
      forwardedHost: undefined,
      realAddress: "10.1.2.3",
    });
  });
});

describe("a value that a trusted proxy passes on", () => {
  const forwarded = (chain: string) => clientOf(from("10.1.2.3", { "x-forwarded-for": chain }), balancers).forwardedFor;

  test.each([
    ["spaces and tabs around addresses are dropped", "1.1.1.1 ,\t203.0.113.7", "1.1.1.1, 203.0.113.7, 10.1.2.3"],
    ["an IPv4-mapped address is written as IPv4", "::ffff:203.0.113.7", "203.0.113.7, 10.1.2.3"],
    ["what is left of something else than an address is dropped", "6.6.6.6, x, 203.0.113.7", "203.0.113.7, 10.1.2.3"],
    ["an address with a no-break space is none", "\u00a0203.0.113.7", "10.1.2.3"],
    ["an address with a zone is none", "fe80::1%eth0", "10.1.2.3"],
    ["the port of an address is dropped", "203.0.113.7:80", "203.0.113.7, 10.1.2.3"],
    ["the brackets and the port of an IPv6 address are dropped", "[2001:db8::7]:80", "2001:db8::7, 10.1.2.3"],
    ["the brackets of an IPv6 address are dropped", "[2001:db8::7]", "2001:db8::7, 10.1.2.3"],
    ["an IPv4-mapped address in brackets is written as IPv4", "[::ffff:203.0.113.7]:9", "203.0.113.7, 10.1.2.3"],
    ["an IPv4 address in brackets is none", "[203.0.113.7]", "10.1.2.3"],
    ["an address with something else for a port is none", "203.0.113.7:http", "10.1.2.3"],
    ["bytes beyond ASCII are dropped", "\u00e9, 203.0.113.7", "203.0.113.7, 10.1.2.3"],
  ])("%s", (_, chain, expected) => {
    expect(forwarded(chain)).toBe(expected);
  });

  test("is bounded: of a thousand addresses the last 32 are kept", () => {
    const chain = Array.from({ length: 1000 }, (_, index) => `203.0.${index >> 8}.${index & 255}`);
    expect(forwarded(chain.join(","))).toBe([...chain.slice(-32), "10.1.2.3"].join(", "));
  });

  test("writes hosts in lower case and ports without leading zeros", () => {
    const said = { host: "A.Example.com:0443", "x-forwarded-host": "B.Example.com:08443" };
    expect(clientOf(from("10.1.2.3", said), balancers)).toMatchObject({
      host: "b.example.com:8443",
      forwardedHost: "b.example.com:8443",
    });
    expect(clientOf(from("203.0.113.7", said), balancers).host).toBe("a.example.com:443");
  });

  test.each(["\u00a0https", "https\u0085", "\u00a0b.example.com", "b.example.com\u00a0"])(
    "ignores a scheme or host with Unicode white space: %j",
    (value) => {
      const said = { "x-forwarded-proto": value, "x-forwarded-host": value, "x-real-ip": `${value}203.0.113.7` };
      expect(clientOf(from("10.1.2.3", said), balancers)).toMatchObject({
        scheme: "http",
        host: "registry.example.com",
        forwardedHost: undefined,
        realAddress: "10.1.2.3",
      });
    },
  );
});

describe("the scheme", () => {
  const encrypted = (headers: Record<string, string>) => {
    const request = from("10.1.2.3", headers);
    Object.assign(request.socket, { encrypted: true });
    return request;
  };

  test("is that of the connection, unless a trusted proxy reports another", () => {
    expect(clientOf(encrypted({}), balancers).scheme).toBe("https");
    expect(clientOf(encrypted({ "x-forwarded-proto": "http" }), balancers).scheme).toBe("http");
    expect(clientOf(encrypted({ "x-forwarded-proto": "http" }), nobody).scheme).toBe("https");
    expect(clientOf(from("10.1.2.3", { "x-forwarded-proto": "HTTPS" }), balancers).scheme).toBe("https");
  });

  test("of several is the nearest proxy's", () => {
    expect(clientOf(from("10.1.2.3", { "x-forwarded-proto": "http, https" }), balancers).scheme).toBe("https");
    expect(clientOf(from("10.1.2.3", { "x-forwarded-host": "a, b:8443" }), balancers).host).toBe("b:8443");
  });
});

test("a closed TCP socket is not taken for a Unix socket", () => {
  const { socket } = from(undefined, {});
  expect(peerAddress(socket)).toBeUndefined();
  expect(isUnixSocket(socket)).toBe(true);
  socket.destroy();
  expect(isUnixSocket(socket)).toBe(false);
  expect(clientOf({ socket, headers: { "x-forwarded-for": "203.0.113.7" } }, balancers).address).toBeUndefined();
});

describe("for any X-Forwarded-For", () => {
  const trusted = fc.constantFrom("10.0.0.1", "10.255.255.255", "::ffff:10.0.0.7", "fd00::1", "FD12:0::9");
  const foreign = fc.oneof(
    fc.ipV4().filter((address) => !address.startsWith("10.")),
    fc.constantFrom("2001:db8::1", "::1"),
  );
  const nonsense = fc.constantFrom(
    "unknown",
    "203.0.113.7:port",
    "[10.0.0.1]",
    "[::1%eth0]",
    "010.0.0.1",
    "_hidden",
    "fe80::1%eth0%",
    "-",
  );
  const chain = fc.array(fc.oneof(trusted, foreign, nonsense), { maxLength: 6 });
  const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, "");
  const isTrusted = (address: string): boolean => /^(10\.|fd)/i.test(plain(address));

  test("the client is the nearest address that is not trusted, with none but trusted ones after it", () => {
    fc.assert(
      fc.property(chain, trusted, (entries, peer) => {
        const { address } = clientOf(from(peer, { "x-forwarded-for": entries.join(",") }), balancers);
        // What comes after the last entry that is nobody's doing, a balancer's own included.
        const believed = [plain(peer)];
        for (const entry of entries.toReversed()) {
          if (isIP(plain(entry)) === 0 || !isTrusted(believed[0] ?? "")) break;
          believed.unshift(plain(entry));
        }
        expect(address).toBe(believed[0]);
      }),
      { numRuns: 3000 },
    );
  });

  test("an untrusted peer's is ignored", () => {
    fc.assert(
      fc.property(chain, foreign, (entries, peer) => {
        const said = { "x-forwarded-for": entries.join(","), "x-real-ip": entries[0] ?? "" };
        expect(clientOf(from(peer, said), balancers)).toEqual(clientOf(from(peer), balancers));
      }),
      { numRuns: 1000 },
    );
  });

  test("parsing never throws", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (list, proto, host, real) => {
        const said = {
          "x-forwarded-for": list,
          "x-forwarded-proto": proto,
          "x-forwarded-host": host,
          "x-real-ip": real,
        };
        const client = clientOf(from("10.1.2.3", said), balancers);
        expect(isIP(client.address ?? "")).not.toBe(0);
        expect(isIP(client.realAddress ?? "")).not.toBe(0);
        expect(client.scheme).toBeOneOf(["http", "https"]);
        expect(authority(client.host)).toBe(client.host);
        expect(`${client.forwardedFor}${client.host}${client.realAddress}`).toMatch(/^[!-~ ]*$/);
      }),
      { numRuns: 2000 },
    );
  });
});

test("a TCP peer that reset its connection is gone, and is not taken for a Unix socket", async () => {
  const { promise: accepted, resolve: accept } = Promise.withResolvers<Socket>();
  const server = createServer({ pauseOnConnect: true }, accept).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const client = connect(address.port, "127.0.0.1");
  const socket = await accepted;
  socket.on("error", () => {});
  client.resetAndDestroy();
  await once(client, "close");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([socket.destroyed, socket.remoteAddress]).toEqual([false, undefined]);
  expect([isUnixSocket(socket), isGone(socket)]).toEqual([false, true]);
  socket.destroy();
  expect([isUnixSocket(socket), isGone(socket)]).toEqual([false, true]);
});

import { isIP, Socket } from "node:net";
import { addressSet } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clientOf } from "../../src/client/client.ts";
import { authority } from "../../src/grammar/authority.ts";

/** A request that comes from the proxy 10.0.0.1, by plain HTTP, for `inner:5043`. */
function from(headers: Record<string, string>, address = "10.0.0.1") {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: address });
  return { socket, headers: { host: "inner:5043", ...headers } };
}

const trusted = addressSet(["10.0.0.0/8", "fd00::/8"]);
const seen = (headers: Record<string, string>, address?: string) => {
  const { address: client, scheme, host } = clientOf(from(headers, address), trusted);
  return `${client} ${scheme}://${host}`;
};

describe("X-Forwarded-Host and X-Forwarded-Proto of several proxies", () => {
  test.each<[string, Record<string, string>, string]>([
    [
      "are those that the outermost trusted proxy has seen",
      {
        "x-forwarded-for": "203.0.113.7, 10.0.0.2",
        "x-forwarded-host": "registry.example.com, inner",
        "x-forwarded-proto": "https, http",
      },
      "203.0.113.7 https://registry.example.com",
    ],
    [
      "count by the proxies that have added to them",
      {
        "x-forwarded-for": "203.0.113.7, 10.0.0.3, 10.0.0.2",
        "x-forwarded-host": "registry.example.com, inner",
        "x-forwarded-proto": "https",
      },
      "203.0.113.7 https://registry.example.com",
    ],
    [
      "are not those that a client has written before a trusted proxy added its own",
      {
        "x-forwarded-for": "6.6.6.6, 203.0.113.7, 10.0.0.2",
        "x-forwarded-host": "evil.example.com, registry.example.com, inner",
        "x-forwarded-proto": "http, https, http",
      },
      "203.0.113.7 https://registry.example.com",
    ],
    [
      "are not those of a proxy that is not trusted",
      {
        "x-forwarded-for": "203.0.113.7, 192.0.2.9, 10.0.0.2",
        "x-forwarded-host": "outer, middle, inner",
        "x-forwarded-proto": "http, https, http",
      },
      "192.0.2.9 https://middle",
    ],
    [
      "are not those that a client in a trusted network has written",
      { "x-forwarded-for": "10.0.0.9", "x-forwarded-host": "evil.example.com, registry.example.com" },
      "10.0.0.9 http://registry.example.com",
    ],
    ["are the nearest proxy's where nothing is known of others", { "x-forwarded-host": "a, b" }, "10.0.0.1 http://b"],
    [
      "are those of the connection where the outermost is malformed",
      { "x-forwarded-for": "203.0.113.7", "x-forwarded-host": "a/b", "x-forwarded-proto": "ftp" },
      "203.0.113.7 http://inner:5043",
    ],
  ])("%s", (_, headers, expected) => {
    expect(seen(headers)).toBe(expected);
  });
});

describe("Forwarded", () => {
  test.each<[string, string, string]>([
    [
      "is read",
      "for=203.0.113.7;host=registry.example.com;proto=https;by=10.0.0.1",
      "203.0.113.7 https://registry.example.com",
    ],
    [
      "is read in any case, with quotes, blanks and ports",
      'For="[2001:db8::7]:4711" ;\tHOST="Registry.example.com:443"; Proto="HTTPS";',
      "2001:db8::7 https://registry.example.com:443",
    ],
    ["is read where colons are not in quotes", "for=203.0.113.7:80;host=a:8443", "203.0.113.7 http://a:8443"],
    ["is read with an obfuscated port", 'for="203.0.113.7:_x1"', "203.0.113.7 http://inner:5043"],
    ["is read with quoted characters", 'for="203.0.113\\.7";host="\\a.example"', "203.0.113.7 http://a.example"],
    [
      "of several proxies is walked from the right, as long as they are trusted",
      "for=6.6.6.6;host=evil, for=203.0.113.7;host=registry.example.com;proto=https, for=10.0.0.2;host=inner;proto=http",
      "203.0.113.7 https://registry.example.com",
    ],
    [
      "of several proxies is what the outermost says of each",
      "for=203.0.113.7;proto=https, for=10.0.0.2;host=registry.example.com;proto=http",
      "203.0.113.7 https://registry.example.com",
    ],
    [
      "of a proxy that hides the client names the proxy",
      "for=_hidden;host=registry.example.com;proto=https, for=10.0.0.2",
      "10.0.0.2 https://registry.example.com",
    ],
    ["of an unknown client names the peer", "for=unknown;proto=https", "10.0.0.1 https://inner:5043"],
    [
      "that says something twice says nothing",
      "for=203.0.113.7;for=203.0.113.8;proto=https",
      "10.0.0.1 http://inner:5043",
    ],
    ["that is malformed says nothing", "for=203.0.113.7;proto", "10.0.0.1 http://inner:5043"],
    [
      "of a client that leaves a quote open does not change what a trusted proxy adds",
      'for="6.6.6.6, for=203.0.113.7;proto=https',
      "203.0.113.7 https://inner:5043",
    ],
    [
      "with a host that is none does not change the host",
      'for=203.0.113.7;host="a/b"',
      "203.0.113.7 http://inner:5043",
    ],
  ])("%s", (_, value, expected) => {
    expect(seen({ forwarded: value })).toBe(expected);
  });

  test("of an untrusted peer is ignored", () => {
    expect(seen({ forwarded: "for=203.0.113.7;host=evil;proto=https" }, "192.0.2.1")).toBe(
      "192.0.2.1 http://inner:5043",
    );
  });

  test("is forwarded to the registry as X-Forwarded-For", () => {
    const forwarded = "for=unknown, for=203.0.113.7, for=10.0.0.2";
    expect(clientOf(from({ forwarded }), trusted).forwardedFor).toBe("203.0.113.7, 10.0.0.2, 10.0.0.1");
  });

  test.each(["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"])(
    "does not count beside %s, because the proxy may not know it",
    (name) => {
      const said: Record<string, string> = {
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "registry.example.com",
        "x-real-ip": "203.0.113.7",
      };
      const alone = { [name]: said[name] ?? "" };
      const spoofed = { ...alone, forwarded: "for=6.6.6.6;host=evil.example.com;proto=https" };
      const { contradictory, ...client } = clientOf(from(spoofed), trusted);
      expect(client).toEqual(clientOf(from(alone), trusted));
      expect(contradictory).toBe(true);
    },
  );

  test("that agrees with X-Forwarded-*, or has fewer values, is no contradiction", () => {
    const older = {
      "x-forwarded-for": "203.0.113.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "registry.example.com",
    };
    for (const forwarded of [
      "for=203.0.113.7;host=registry.example.com;proto=https",
      'for="203.0.113.7:80"',
      "proto=https",
      "for=unknown",
      "nonsense",
    ]) {
      expect(clientOf(from({ ...older, forwarded }), trusted), forwarded).not.toHaveProperty("contradictory");
    }
    expect(clientOf(from({ ...older, forwarded: "proto=http;for=6.6.6.6" }, "192.0.2.1"), trusted)).not.toHaveProperty(
      "contradictory",
    );
  });

  test("never makes parsing throw or slow, and gives only addresses, schemes and hosts", () => {
    const part = fc.constantFrom(
      "for=",
      "host=",
      '"',
      "\\",
      ";",
      ",",
      " ",
      "\t",
      "10.0.0.2",
      "[::1]",
      ":",
      "=",
      "a",
      "\u00e9",
    );
    const value = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 30 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(value, (forwarded) => {
        const client = clientOf(from({ forwarded }), trusted);
        expect(isIP(client.address ?? "")).not.toBe(0);
        expect(client.scheme).toBeOneOf(["http", "https"]);
        expect(authority(client.host)).toBe(client.host);
        expect(client.forwardedFor).toMatch(/^[\da-f.:]+(?:, [\da-f.:]+)*$/i);
      }),
      { numRuns: 3000 },
    );
    for (const filler of [" ", "\t", ";", "a", '"', "\\", "a=", 'a="', "[", "="]) {
      const long = `for=10.0.0.2; ${filler.repeat(16_000)}x`;
      expect(clientOf(from({ forwarded: long }), trusted).scheme).toBe("http");
    }
  });
});

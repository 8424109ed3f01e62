import { expect, test } from "vitest";
import { clientLocation } from "../../src/forward/location.ts";
import type { Client } from "../../src/peer.ts";

const upstream = new URL("http://registry.internal:5000");

function client(scheme: "http" | "https", host: string): Client {
  return { scheme, host, address: undefined, realAddress: undefined, forwardedFor: "", forwardedHost: undefined };
}

const upload = "/v2/team/app/blobs/uploads/1?_state=a%3D";

test.each<[string, string, Client, string]>([
  ["a relative one stays", upload, client("https", "gate:5043"), upload],
  [
    "the registry's own address becomes the client's",
    `http://registry.internal:5000${upload}`,
    client("https", "gate:5043"),
    `https://gate:5043${upload}`,
  ],
  [
    "the host that was passed on gets the client's scheme",
    `http://gate:5043${upload}`,
    client("https", "gate:5043"),
    `https://gate:5043${upload}`,
  ],
  [
    "a port that is the scheme's default makes no difference",
    `http://gate${upload}`,
    client("https", "gate:443"),
    `https://gate:443${upload}`,
  ],
  [
    "nor does the default port of plain HTTP",
    `http://gate${upload}`,
    client("http", "gate:80"),
    `http://gate:80${upload}`,
  ],
  [
    "a port that is another scheme's default is the client's, too",
    `http://gate:443${upload}`,
    client("https", "gate:443"),
    `https://gate:443${upload}`,
  ],
  [
    "capitals make no difference",
    `http://GATE.example.com${upload}`,
    client("https", "gate.Example.com"),
    `https://gate.Example.com${upload}`,
  ],
  [
    "object storage is not ours",
    `https://bucket.s3.example.com${upload}`,
    client("https", "gate"),
    `https://bucket.s3.example.com${upload}`,
  ],
  [
    "another path of the registry's host is not ours",
    "http://registry.internal:5000/storage/x",
    client("https", "gate"),
    "http://registry.internal:5000/storage/x",
  ],
  ["what cannot be parsed stays", "http://[", client("https", "gate"), "http://["],
])("%s", (_, location, who, expected) => {
  expect(clientLocation(location, upstream, who)).toBe(expected);
});

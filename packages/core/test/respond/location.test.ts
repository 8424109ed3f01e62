import { describe, expect, test } from "vitest";
import type { Client } from "../../src/client/client.ts";
import { clientLocation } from "../../src/respond/location.ts";

const upstream = new URL("http://registry.internal:5000");

function client(scheme: "http" | "https", host: string): Client {
  return { scheme, host, address: undefined, realAddress: undefined, forwardedFor: "", forwardedHost: undefined };
}

const upload = "/v2/team/app/blobs/uploads/1?_state=a%3D";
const redirects = [301, 302, 303, 307, 308];

/** Where it leads, by which host the client has come, and what the client gets. */
const cases: readonly (readonly [title: string, location: string, who: Client])[] = [
  ["a relative one", upload, client("https", "gate:5043")],
  ["one with the registry's own address", `http://registry.internal:5000${upload}`, client("https", "gate:5043")],
  ["one with the host that was passed on", `http://gate:5043${upload}`, client("https", "gate:5043")],
  ["one with that host, and without the port of its scheme", `http://gate${upload}`, client("https", "gate:443")],
  ["one without the port of plain HTTP", `http://gate${upload}`, client("http", "gate:80")],
  ["one with the port of another scheme", `http://gate:443${upload}`, client("https", "gate:443")],
  ["one in capitals", `HTTP://GATE.example.com${upload}`, client("https", "gate.Example.com")],
  ["one without a scheme", `//registry.internal:5000${upload}`, client("https", "gate")],
];

describe.each([201, 202, 204, ...redirects])("of a response with %d", (status) => {
  test.each(cases)("%s is relative for the client", (_, location, who) => {
    expect(clientLocation(location, status, upstream, who)).toBe(upload);
  });

  test.each([
    ["another path of the registry's host", "http://registry.internal:5000/storage/x"],
    ["what cannot be parsed", "http://["],
    ["a relative path", "uploads/1?_state=a"],
  ])("%s is not changed", (_, location) => {
    expect(clientLocation(location, status, upstream, client("https", "gate"))).toBe(location);
  });
});

test.each(redirects)("a redirect with %d to object storage is not changed", (status) => {
  for (const location of [`https://bucket.s3.example.com${upload}`, `//bucket.s3.example.com${upload}`]) {
    expect(clientLocation(location, status, upstream, client("https", "gate"))).toBe(location);
  }
});

test.each([201, 202, 204])(
  "what a response with %d has made is in the registry, by whatever name it is called",
  (status) => {
    const location = `https://public.example.com${upload}`;
    expect(clientLocation(location, status, upstream, client("https", "gate"))).toBe(upload);
  },
);

import { addressSet } from "@registry-gate/auth-kit";
import { expect, test } from "vitest";
import { clientOf } from "../src/client/client.ts";
import { upstreamHeaders } from "../src/forward/request-headers.ts";
import { receivedRequest } from "./received-request.ts";

const said = [
  ["Accept", "a/b"],
  ["X-Request-Id", "canary"],
  ["X-Forwarded-User", "canary"],
  ["Authorization", "Basic canary"],
  ["Cookie", "canary"],
] as const;

async function built(...credentialHeaders: string[]) {
  const request = await receivedRequest({ headers: said, address: "203.0.113.7" });
  const client = clientOf(request, addressSet([]));
  return upstreamHeaders(request, client, new Set(credentialHeaders), "get-manifest").headers;
}

test("forwards no header that a backend reads, not even one that a registry could use", async () => {
  expect(await built("x-forwarded-user", "x-request-id")).toEqual({
    accept: "a/b",
    host: "registry.example.com",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-proto": "http",
    "x-real-ip": "203.0.113.7",
  });
  expect(await built()).toMatchObject({ "x-request-id": "canary" });
});

test("writes the gate's own headers whether or not a backend reads a header of that name", async () => {
  expect(await built("x-forwarded-for")).toMatchObject({ "x-forwarded-for": "203.0.113.7" });
});

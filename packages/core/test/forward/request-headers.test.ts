import { expect, test } from "vitest";
import { upstreamHeaders } from "../../src/forward/request-headers.ts";
import { addressSet, clientOf } from "../../src/peer.ts";
import { type Head, receivedRequest } from "../received-request.ts";

async function built(head: Head, withBody: boolean) {
  const request = await receivedRequest({ ...head, address: "203.0.113.7" });
  return upstreamHeaders(request, clientOf(request, addressSet([])), new Set(), withBody);
}

test("a type without a body is not passed on, and a body of no length is told as such where there might be one", async () => {
  const headers = [["Content-Type", "application/x-www-form-urlencoded"]] as const;
  for (const method of ["POST", "PUT", "PATCH"]) {
    const passed = await built({ method, headers }, false);
    expect(passed).not.toHaveProperty("content-type");
    expect(passed).toHaveProperty("content-length", "0");
  }
  for (const method of ["GET", "HEAD", "DELETE"]) {
    const passed = await built({ method, headers }, false);
    expect(passed).not.toHaveProperty("content-type");
    expect(passed).not.toHaveProperty("content-length");
  }
});

test("a body keeps its type and its length, and never the coding that it came in", async () => {
  const type = ["Content-Type", "application/octet-stream"] as const;
  const known = await built({ method: "PUT", headers: [type, ["Content-Length", "5"]] }, true);
  expect(known).toMatchObject({ "content-type": "application/octet-stream", "content-length": "5" });
  const chunked = await built({ method: "PUT", headers: [type, ["Transfer-Encoding", "chunked"]] }, true);
  expect(chunked).not.toHaveProperty("content-length");
  expect(chunked).not.toHaveProperty("transfer-encoding");
});

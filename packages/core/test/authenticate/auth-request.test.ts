import { expect, test } from "vitest";
import { authRequest, peerOf } from "../../src/authenticate/auth-request.ts";
import { receivedRequest } from "../received-request.ts";

test("a backend sees the credentials, the peer, the client and its own headers of a request, and no other header", async () => {
  const request = await receivedRequest({
    address: "::ffff:10.0.0.1",
    headers: [
      ["X-User", "alice"],
      ["X-User", "bob"],
      ["Cookie", "session=1"],
    ],
  });
  const credentials = { scheme: "bearer", token: "t" } as const;
  const { signal } = new AbortController();
  const seen = authRequest(
    request,
    { address: "203.0.113.7", requestId: "id-1" },
    credentials,
    ["x-user", "x-groups"],
    signal,
  );
  expect(seen).toMatchObject({
    credentials,
    peer: { address: "10.0.0.1", unixSocket: false },
    client: "203.0.113.7",
    requestId: "id-1",
    signal,
  });
  expect([seen.header("x-user"), seen.header("x-groups"), seen.header("cookie")]).toEqual([["alice", "bob"], [], []]);
});

test("the peer of a request on a Unix socket has no address", async () => {
  expect(peerOf(await receivedRequest())).toMatchObject({ address: undefined });
});

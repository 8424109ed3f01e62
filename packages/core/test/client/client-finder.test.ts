import { addressSet } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { clientFinder, clientOf } from "../../src/client/client.ts";
import { receivedRequests } from "../received-request.ts";

const trusted = addressSet(["192.0.2.1", "unix:"]);
const headers = fc.uniqueArray(
  fc.oneof(
    fc.tuple(fc.constant("Host"), fc.constantFrom("one.example.com", "two.example.com", "Two.example.com:0443", "a b")),
    fc.tuple(fc.constant("X-Forwarded-For"), fc.constantFrom("198.51.100.1", "198.51.100.2, 192.0.2.1", "nobody")),
    fc.tuple(fc.constant("X-Forwarded-Proto"), fc.constantFrom("http", "https")),
    fc.tuple(fc.constant("X-Real-IP"), fc.constant("198.51.100.3")),
    fc.tuple(fc.constant("Forwarded"), fc.constantFrom("for=198.51.100.4;proto=https", "for=unknown")),
    fc.tuple(fc.constant("X-Request-Id"), fc.constantFrom("one", "two")),
  ),
  { selector: ([name]) => name, maxLength: 4 },
);
const peer = fc.constantFrom("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "2001:db8::1");

test("finds for each request of a connection the client that it has alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(headers, { minLength: 1, maxLength: 6 }), peer, async (heads, address) => {
      const requests = await receivedRequests(
        heads.map((lines) => ({ headers: lines })),
        { address },
      );
      const find = clientFinder(trusted);
      for (const request of requests) expect(find(request)).toEqual(clientOf(request, trusted));
    }),
  );
});

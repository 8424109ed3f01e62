import { describe, expect, test } from "vitest";
import { authRequestOf, clientAddressReader } from "../../src/authenticate/auth-request.ts";
import { receivedRequest } from "../received-request.ts";

const encoded = (text: string): string => Buffer.from(text).toString("base64");

describe("what a backend is asked about a request by other code", () => {
  const signal = new AbortController().signal;

  test("is what the gate would ask it", async () => {
    const request = await receivedRequest({
      address: "::ffff:203.0.113.7",
      headers: [
        ["Authorization", `Basic ${encoded("alice:secret")}`],
        ["X-User", "alice"],
        ["Cookie", "session=1"],
      ],
    });
    const asked = authRequestOf(request, { credentialHeaders: ["x-user"] }, signal);
    expect(asked).toMatchObject({
      credentials: { scheme: "basic", username: "alice", password: "secret" },
      peer: { address: "203.0.113.7", local: false },
      client: "203.0.113.7",
    });
    expect([asked?.header("x-user"), asked?.header("cookie"), asked?.signal]).toEqual([["alice"], [], signal]);
    expect(authRequestOf(await receivedRequest(), {}, signal)?.credentials).toBeUndefined();
    const nobody = await receivedRequest({ headers: [["Authorization", "Basic Og=="]] });
    expect(authRequestOf(nobody, {}, signal)).toMatchObject({ credentials: undefined });
  });

  test("tells the client apart from the trusted proxies in front", async () => {
    const read = clientAddressReader(["10.0.0.0/8"]);
    const headers = [["X-Forwarded-For", "192.0.2.1, ::ffff:203.0.113.7"]] as const;
    const proxied = await receivedRequest({ address: "::ffff:10.0.0.1", headers });
    expect(authRequestOf(proxied, {}, signal, read(proxied))).toMatchObject({
      peer: { address: "10.0.0.1" },
      client: "203.0.113.7",
    });
    const direct = await receivedRequest({ address: "192.0.2.9", headers });
    expect(read(direct)).toBe("192.0.2.9");
    expect(read(await receivedRequest({ headers }))).toBeUndefined();
  });

  test("is nothing where the Authorization header is malformed or stands twice", async () => {
    const login: readonly [string, string] = ["Authorization", `Basic ${encoded("alice:secret")}`];
    for (const headers of [[login, login], [["Authorization", "Basic x"] as const], [["Authorization", ""] as const]]) {
      expect(authRequestOf(await receivedRequest({ headers }), {}, signal)).toBeUndefined();
    }
  });
});

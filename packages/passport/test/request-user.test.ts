import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { fromRequestUser } from "@registry-gate/passport";
import { describe, expect, test } from "vitest";

function requestOf(more: object): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), more);
}

describe("the user of a request", () => {
  const identity = (user: { login: string }) => ({ username: user.login, groups: ["staff"] });
  const find = fromRequestUser({ identity });

  test("is whom the app has put there", async () => {
    expect(await find(requestOf({ user: { login: "alice" } }))).toEqual({
      subject: "alice",
      username: "alice",
      groups: ["staff"],
      backend: "session",
    });
  });

  test("is nobody where the app has put nobody", async () => {
    for (const more of [{}, { user: undefined }, { user: null }, { user: false }, { account: { login: "alice" } }]) {
      expect(await find(requestOf(more))).toBeUndefined();
    }
  });

  test("is found under another name, and called by another", async () => {
    const other = fromRequestUser({ identity, property: "account", id: "portal" });
    expect(await other(requestOf({ account: { login: "bob" }, user: { login: "alice" } }))).toMatchObject({
      username: "bob",
      backend: "portal",
    });
    // What every request has is no user.
    const inherited = fromRequestUser({ identity: () => ({ username: "everybody" }), property: "setTimeout" });
    expect(await inherited(requestOf({}))).toBeUndefined();
  });

  test("that cannot be made out is a fault, and not nobody", async () => {
    await expect(find(requestOf({ user: {} }))).rejects.toThrow("the user name is not a string");
    await expect(find(requestOf({ user: { login: "a\nb" } }))).rejects.toThrow("holds a control character");
    const failing = fromRequestUser({
      identity: async () => {
        throw new Error("the database is down");
      },
    });
    await expect(failing(requestOf({ user: {} }))).rejects.toThrow("the database is down");
  });

  test("is nobody once it has expired", async () => {
    const until = (expiresAt: number) =>
      fromRequestUser({ identity: () => ({ username: "alice", expiresAt }) })(requestOf({ user: {} }));
    expect(await until(Date.now() - 1)).toBeUndefined();
    expect(await until(Date.now() + 60_000)).toMatchObject({ username: "alice" });
  });
});

import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { type AuthResult, BackendUnavailableError } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import { asked, type Behaviour, unavailable } from "./scripted-strategy.ts";

const letIn: AuthResult = {
  status: "authenticated",
  identity: { subject: "alice", username: "alice", groups: [], backend: "scripted" },
};
const abstained: AuthResult = { status: "abstained" };
const rejected = (reason: string): AuthResult => ({ status: "rejected", reason });

describe("maps what a strategy does:", () => {
  test.each<[string, Behaviour, AuthResult]>([
    ["success", (it) => it.success({ name: "alice" }), letIn],
    ["failure", (it) => it.fail(), rejected("the strategy says no")],
    [
      "failure with a message",
      (it) => it.fail({ message: "locked out" }, 403),
      rejected("the strategy says: locked out"),
    ],
    ["a message for a challenge", (it) => it.fail("Wrong password"), rejected("the strategy says: Wrong password")],
    ["a word that is no scheme", (it) => it.fail("Unauthorized"), rejected("the strategy says: Unauthorized")],
    ["a challenge of the login's scheme", (it) => it.fail('basic realm="x"'), rejected("the strategy says no")],
    ["a challenge of another scheme", (it) => it.fail('Bearer realm="x"'), abstained],
    ["another scheme alone", (it) => it.fail("Negotiate"), abstained],
    ["that it found nothing", (it) => it.fail({ message: "Missing credentials" }, 400), abstained],
    ["that it found nothing, by a status alone", (it) => it.fail(400), abstained],
    ["redirect", (it) => it.redirect("https://idp.example.com/", 302), abstained],
    ["pass", (it) => it.pass(), abstained],
    [
      "failure and then success",
      (it) => {
        it.fail();
        it.success({ name: "alice" });
      },
      rejected("the strategy says no"),
    ],
  ])("%s", async (_, behaviour, expected) => {
    expect(await asked(behaviour)).toEqual(expected);
  });
});

/** Of another realm: it is no instance of this one's Promise. */
const foreignPromise = (): Promise<never> => runInNewContext("Promise.reject(new Error('later'))");

describe("a strategy that cannot find out is a fault:", () => {
  test.each<[string, Behaviour, RegExp]>([
    [
      "an error",
      (it) => it.error(new Error("the database is down")),
      /^scripted: the strategy failed: the database is down$/,
    ],
    ["something else as an error", (it) => it.error("away"), /: away$/],
    ["a promise that is rejected", () => Promise.reject(new Error("later")), /: later$/],
    ["a promise of another make that is rejected", foreignPromise, /: later$/],
    ["a failure of the server's own", (it) => it.fail(new Error("ECONNREFUSED"), 500), /strategy says: ECONNREFUSED$/],
    ["too many requests", (it) => it.fail(429), /the strategy says no$/],
    ["a success that is nobody", (it) => it.success(undefined), /mapped to an identity: there is no user$/],
    ["a success that is false", (it) => it.success(false), /there is no user$/],
    ["nothing in time", () => {}, /^scripted: the strategy did not respond within 30 ms$/],
    ["a promise and nothing else", async () => {}, /did not respond within 30 ms$/],
  ])("%s", async (_, behaviour, reason) => {
    const answer = asked(behaviour, { timeout: 30 });
    await expect(answer).rejects.toBeInstanceOf(BackendUnavailableError);
    await expect(answer).rejects.toEqual(unavailable(reason));
  });

  test("a throw, whose stack is kept for whoever has to find the mistake", async () => {
    const error = await asked(function failingHere() {
      throw new RangeError("out of range");
    }).catch((reason: unknown) => reason);
    expect(error).toEqual(unavailable("out of range"));
    expect(error).toMatchObject({ cause: { name: "RangeError", message: "out of range" } });
    expect(inspect(error)).toContain("failingHere");
  });
});

describe("waiting for a strategy ends", () => {
  test("when the signal aborts", async () => {
    const leaving = new AbortController();
    const answer = asked(() => leaving.abort(), {}, { signal: leaving.signal });
    await expect(answer).rejects.toEqual(unavailable("the request was aborted"));
  });

  test("when it has aborted before, and the strategy is not asked at all", async () => {
    let count = 0;
    await expect(asked(() => count++, {}, { signal: AbortSignal.abort() })).rejects.toEqual(
      unavailable("the request was aborted"),
    );
    expect(count).toBe(0);
  });

  test("when the identity function does not end", async () => {
    const identity = () => new Promise<never>(() => {});
    const answer = asked((it) => it.success({ name: "alice" }), { identity, timeout: 30 });
    await expect(answer).rejects.toEqual(unavailable("did not respond within 30 ms"));
  });
});

test("reveals no secret of the request, whatever a strategy does", async () => {
  const encoded = Buffer.from("alice:hunter2").toString("base64");
  const telling: Behaviour[] = [
    (it, request) => it.error(Object.assign(new Error(`${request.body.password}\n${encoded}`), { config: request })),
    (it, request) => it.fail(`hunter2 ${request.headers.authorization}`),
    (it, request) => {
      request.body.password = "changed";
      it.fail({ message: `it was ${encoded}, that is hunter2` });
    },
    (it) => it.success({ name: "x", password: "hunter2" }),
  ];
  const identity = ({ password }: { password: string }) => {
    throw new Error(`cannot read ${password}`);
  };
  for (const behaviour of telling) {
    const answer = await asked(behaviour, { identity }).catch((error: unknown) => error);
    const told = inspect(answer, { depth: 10, showHidden: true });
    expect(told).toContain("[secret]");
    expect(told).not.toContain("hunter2");
    expect(told).not.toContain(encoded);
  }
});

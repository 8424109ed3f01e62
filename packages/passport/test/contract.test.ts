import { type BackendFixture, backendContract, basicAsk, bearerAsk } from "@registry-gate/auth-testkit";
import { passportBackend } from "@registry-gate/passport";
import { BasicStrategy } from "passport-http";
import { Strategy as BearerStrategy } from "passport-http-bearer";
import { Strategy as LocalStrategy } from "passport-local";
import { describe, test } from "vitest";
import { identityOfPerson, type Person, verify } from "./people.ts";

const passwords: Omit<BackendFixture, "open"> = {
  users: [
    { ask: basicAsk("alice", "alice's canary"), username: "alice", groups: ["pushers", "readers"] },
    { ask: basicAsk("bob", "bob's canary"), username: "bob", groups: ["readers"] },
  ],
  wrong: [basicAsk("alice", "bob's canary"), basicAsk("bob", "wrong canary")],
  unknown: [basicAsk("carol", "alice's canary")],
  foreign: [bearerAsk("alice's.canary")],
  secrets: ["alice's canary", "bob's canary", "wrong canary", "alice's.canary"],
};

describe("a backend of passport-http", () => {
  for (const { name, run } of backendContract({
    ...passwords,
    open: (context) => passportBackend({ strategy: new BasicStrategy(verify), identity: identityOfPerson }, context),
  })) {
    test(name, run);
  }
});

describe("a backend of passport-local, which reads a form", () => {
  for (const { name, run } of backendContract({
    ...passwords,
    open: (context) =>
      passportBackend(
        {
          strategy: new LocalStrategy({ usernameField: "login", passwordField: "word" }, verify),
          identity: identityOfPerson,
          formFields: { username: "login", password: "word" },
        },
        context,
      ),
  })) {
    test(name, run);
  }
});

describe("a backend of passport-http-bearer, whose store of tokens can be away", () => {
  const tokens: Readonly<Record<string, Person>> = {
    "alice-canary": { login: "alice", teams: ["pushers"] },
    "bob-canary": { login: "bob", teams: [] },
  };
  let store: "there" | "away" | "silent" = "there";
  const strategy = new BearerStrategy((token, done) => {
    if (store === "silent") return;
    // As clients of HTTP do, the error holds what was sent.
    const error = Object.assign(new Error(`no answer for ${token}`), { headers: { authorization: `Bearer ${token}` } });
    if (store === "away") return done(error);
    done(null, Object.hasOwn(tokens, token) ? tokens[token] : false);
  });
  const become = async (next: typeof store) => {
    store = next;
    return async () => {
      store = "there";
    };
  };
  for (const { name, run } of backendContract({
    open: (context) => passportBackend({ strategy, identity: identityOfPerson }, context),
    users: [
      { ask: bearerAsk("alice-canary"), username: "alice", groups: ["pushers"] },
      { ask: bearerAsk("bob-canary"), username: "bob", groups: [] },
    ],
    wrong: [bearerAsk("wrong-canary")],
    unknown: [bearerAsk("carol-canary")],
    foreign: [basicAsk("alice", "alice-canary")],
    hostile: (name) => bearerAsk(name),
    secrets: ["alice-canary", "bob-canary", "wrong-canary", "carol-canary"],
    outage: () => become("away"),
    silence: () => become("silent"),
  })) {
    test(name, run);
  }
});

import type { Action, Principal, UserPrincipal } from "@registry-gate/auth";
import fc from "fast-check";
import { anonymous } from "../../src/authorize/principal.ts";
import type { AccessRule } from "../../src/options/options.ts";

export function user(username: string, ...groups: string[]): UserPrincipal {
  return { kind: "user", identity: { subject: username, username, groups, backend: "test" }, via: "basic" };
}

const subject = fc.constantFrom("anonymous", "authenticated", "user:alice", "user:bob", "group:dev", "group:ops");
const glob = fc.constantFrom(
  ...["**", "*", "*/*", "team/**", "team/*", "alice/**", "${username}/**", "**/${username}/**"],
  ...["!team/secret", "!**", "!team/**", "!${username}/**", "!*"],
);
const action = fc.constantFrom<Action>("pull", "push", "delete", "*");

const lists = {
  subjects: fc.array(subject, { maxLength: 2 }),
  repositories: fc.array(glob, { maxLength: 3 }),
  actions: fc.array(action, { maxLength: 2 }),
};

/** A rule that allows and is well-formed; some of its lists may be empty, so that it says nothing. */
export const someAllowRule: fc.Arbitrary<AccessRule> = fc.record(
  {
    ...lists,
    effect: fc.constant("allow"),
    immutableTags: fc.array(fc.constantFrom("v*", "latest", "*", "*-final"), { maxLength: 2 }),
  },
  { requiredKeys: ["subjects", "repositories", "actions"] },
);
/** The same of one that denies. */
export const someDenyRule: fc.Arbitrary<AccessRule> = fc.record({ ...lists, effect: fc.constant("deny") });
const someRule: fc.Arbitrary<AccessRule> = fc.oneof(
  { weight: 3, arbitrary: someAllowRule },
  { weight: 1, arbitrary: someDenyRule },
);
export const someRules: fc.Arbitrary<AccessRule[]> = fc.array(someRule, { maxLength: 5 });
export const somebody: fc.Arbitrary<Principal> = fc.constantFrom<Principal[]>(
  anonymous,
  user("alice"),
  user("bob", "dev"),
  user("carol", "dev", "ops"),
  user("Team/**"),
);
export const someRepository: fc.Arbitrary<string> = fc.constantFrom(
  ...["team/app", "team/secret", "team/alice/x", "alice/app", "bob/x/y", "app", "team", "alice"],
);
export const someAction: fc.Arbitrary<"pull" | "push" | "delete"> = fc.constantFrom("pull", "push", "delete");
export const someTag: fc.Arbitrary<string> = fc.constantFrom("v1", "latest", "1-final", "dev", "xv1");

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accountStateOfAD } from "../src/account-state.ts";
import { DirectoryError } from "../src/directory-error.ts";
import { allEntries, judgeServiceBind, judgeUserBind } from "../src/outcomes.ts";
import type { BindResult } from "../src/protocol/responses.ts";

const result = (code: number, diagnostic = "", error?: number): BindResult => ({
  code,
  diagnostic,
  policy: error === undefined ? undefined : { error },
});

/** As a domain controller words it. */
const ofAD = (data: string): string =>
  `80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data ${data}, v3839`;

const verdictOf = (bind: BindResult): string => {
  try {
    const verdict = judgeUserBind(bind);
    return verdict.accepted ? "accepted" : verdict.reason;
  } catch (error) {
    if (error instanceof DirectoryError && error.kind === "result") return `unavailable: ${error.message}`;
    throw error;
  }
};

describe("the result of a user's bind", () => {
  it.each<[string, BindResult, string]>([
    ["success", result(0), "accepted"],
    ["success with a password that expires soon", result(0, "", undefined), "accepted"],
    ["success with a password to be changed", result(0, "", 2), "the password must be changed"],
    ["49", result(49), "wrong password"],
    ["49 for an expired password", result(49, "", 0), "the password has expired"],
    ["49 for a locked account", result(49, "", 1), "the account is locked"],
    ["49 with another state of the policy", result(49, "", 5), "wrong password"],
    ["a constraint that is violated", result(19), "the account is locked"],
    ["no such object", result(32), "no such entry"],
    ["an invalid DN", result(34), "no such entry"],
    ["inappropriate authentication", result(48), "the entry has no password"],
    ["insufficient access", result(50), "the entry may not sign in"],
    [
      "unwilling, for an account that is off",
      result(53, "Account inactivated. Contact system administrator."),
      "the account is disabled",
    ],
    [
      "unwilling, for another reason",
      result(53, "too many connections"),
      "unavailable: the bind failed: unwilling to perform (53)",
    ],
    ["busy", result(51), "unavailable: the bind failed: busy (51)"],
    ["a code that is not known", result(4711), "unavailable: the bind failed: result 4711"],
  ])("%s", (_, bind, verdict) => {
    expect(verdictOf(bind)).toBe(verdict);
  });

  it.each([
    ["525", "no such user"],
    ["52e", "wrong password"],
    ["530", "the account may not sign in at this hour"],
    ["531", "the account may not sign in from this machine"],
    ["532", "the password has expired"],
    ["533", "the account is disabled"],
    ["701", "the account has expired"],
    ["773", "the password must be changed"],
    ["775", "the account is locked"],
    ["52E", "wrong password"],
    ["999", "refused with sub-code 999"],
    ["51f", "unavailable: the bind failed: invalid credentials (49)"],
  ])("49 with the sub-code %s of Active Directory", (data, verdict) => {
    expect(verdictOf(result(49, ofAD(data)))).toBe(verdict);
  });

  it("accepts only success", () => {
    const states = fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 130 }), fc.string(), states, (code, diagnostic, error) => {
        if (verdictOf(result(code, diagnostic, error)) === "accepted") expect(code).toBe(0);
      }),
    );
  });

  it("has a state of Active Directory only where the message is theirs", () => {
    expect(accountStateOfAD("data 533 of the account")).toBeUndefined();
    expect(accountStateOfAD("")).toBeUndefined();
  });
});

describe("the result of the service account's bind", () => {
  it("is a fault of the account for whatever is no success, and of the server while that is busy", () => {
    expect(() => judgeServiceBind(result(0))).not.toThrow();
    for (const [code, kind] of [
      [49, "service"],
      [32, "service"],
      [8, "service"],
      [51, "result"],
      [52, "result"],
      [80, "result"],
    ] as const) {
      expect(() => judgeServiceBind(result(code))).toThrow(expect.objectContaining({ kind, code }));
    }
    expect(() => judgeServiceBind(result(49, ofAD("775")))).toThrow("invalid credentials (49), the account is locked");
  });
});

describe("the entries of a search", () => {
  const search = (code: number, diagnostic = "") => ({ code, diagnostic, entries: [], bytes: 0 });

  it("count only where the answer is whole", () => {
    expect(allEntries(search(0), "x")).toEqual([]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 130 }), (code) => {
        expect(() => allEntries(search(code), "x")).toThrow(DirectoryError);
      }),
    );
    expect(() => allEntries(search(4), "groups")).toThrow(
      "the search for groups failed: size limit exceeded (4), incomplete result",
    );
    expect(() => allEntries(search(1, "000004DC: a bind must be completed\n"), "x")).toThrow(
      /a bind must be completed$/,
    );
  });
});

import { identityByFields } from "@registry-gate/passport";
import { describe, expect, test } from "vitest";

describe("an identity read from a user by the names of fields", () => {
  test("is found under the common names by default", () => {
    expect(identityByFields({})({ username: "alice", groups: ["a", "b"], password: "x" })).toEqual({
      username: "alice",
      subject: "alice",
      groups: ["a", "b"],
    });
    expect(identityByFields({})({ username: "alice" })).toEqual({ username: "alice", subject: "alice", groups: [] });
  });

  test("is found along paths, through lists, and where a list of one stands for one", () => {
    const user = {
      dn: "uid=alice",
      account: { uid: ["alice"] },
      _groups: [{ cn: "pushers" }, { cn: ["staff", "all"] }, { description: "no name" }],
      mail: ["a@example.org", "alice@example.org"],
    };
    const read = identityByFields({
      username: "account.uid",
      subject: "dn",
      groups: "_groups.cn",
      claims: { email: "mail", dn: "dn", phone: "telephoneNumber" },
    });
    expect(read(user)).toEqual({
      username: "alice",
      subject: "uid=alice",
      groups: ["pushers", "staff", "all"],
      claims: { email: ["a@example.org", "alice@example.org"], dn: "uid=alice" },
    });
  });

  test("has no group where the field is missing or empty: a directory leaves out what has no value", () => {
    const read = identityByFields({ groups: "memberOf" });
    for (const more of [{}, { memberOf: [] }, { memberOf: null }]) {
      expect(read({ username: "alice", ...more }).groups).toEqual([]);
    }
    expect(read({ username: "alice", memberOf: "one" }).groups).toEqual(["one"]);
  });

  test("has claims without what is no text, and groups as they came: who makes an identity of them passes odd ones over", () => {
    const read = identityByFields({ claims: { email: "mail", phone: "phone" } });
    expect(read({ username: "alice", groups: ["a", 7, null], mail: [5, "a@example.org"], phone: {} })).toEqual({
      username: "alice",
      subject: "alice",
      groups: ["a", 7, null],
      claims: { email: "a@example.org" },
    });
  });

  test.each<[unknown, string]>([
    [{}, "no text at uid"],
    [{ uid: [] }, "no text at uid"],
    [{ uid: ["alice", "bob"] }, "several texts at uid"],
    [{ uid: 5 }, "a value that is not text at uid"],
    [Object.create({ uid: "alice" }), "no text at uid"],
    ["alice", "no text at uid"],
    [undefined, "no text at uid"],
  ])("is not made of %j", (user, message) => {
    expect(() => identityByFields({ username: "uid" })(user)).toThrow(message);
  });

  test("is not read from what every object has", () => {
    expect(() => identityByFields({ username: "constructor.name" })({})).toThrow("no text");
    expect(() => identityByFields({ username: "__proto__.x" })({})).toThrow("no text");
  });
});

import { expect, it } from "vitest";
import { attemptedName } from "../../../src/authenticate/throttle/attempted-name.ts";

it.each([
  ["ALICE"],
  [" alice "],
  ["\u3000alice\t"],
  ["ａｌｉｃｅ"],
  ["ＡＬＩＣＥ"],
  ["al\u00adice"],
  ["al\u200bice"],
  ["\u200b \u200balice \u00ad "],
  ["alïce"],
  ["ali\u0307ce"],
])("counts %j as alice", (spelling) => {
  expect(attemptedName(spelling)).toBe("alice");
});

it.each([
  ["anna  maria", "Anna Maria"],
  ["ΟΔΥΣΣΕΥΣ", "οδυσσευς"],
  ["İpek", "ipek"],
  ["\u212bngstrom", "ångstrom"],
])("counts %s and %s as one", (one, other) => {
  expect(attemptedName(one)).toBe(attemptedName(other));
});

it.each([
  ["alice", "alicia"],
  ["anna maria", "annamaria"],
  ["alice", "alice2"],
])("counts %s and %s apart", (one, other) => {
  expect(attemptedName(one)).not.toBe(attemptedName(other));
});

import { expect, it } from "vitest";
import { singleUser } from "../src/user/find-user.ts";
import { entryOf } from "./scripted-session.ts";

it.each(["robot$ci", "Robot$ci"])("finds nobody in an entry that is called %s, as robots are", (uid) => {
  const dn = "cn=mallory,ou=people,dc=example,dc=org";
  expect(singleUser([entryOf(dn, { uid: [uid] })], uid, "uid")).toEqual({
    reason: "the entry has a name that is reserved for robots",
  });
  expect(singleUser([entryOf(dn, { uid: ["ci$robot"] })], "ci$robot", "uid").user?.username).toBe("ci$robot");
});

import { expect, test } from "vitest";
import { revisionOf } from "../src/backend/revision.ts";

test("a revision is stable, has 128 bits, and depends on both the label and the source", () => {
  const revision = revisionOf("htpasswd", "$2y$10$abc");
  expect(revision).toBe(revisionOf("htpasswd", "$2y$10$abc"));
  expect(revision).toMatch(/^[\w-]{22}$/);
  expect(Buffer.from(revision, "base64url")).toHaveLength(16);
  expect(revisionOf("htpasswd", "$2y$10$abd")).not.toBe(revision);
  expect(revisionOf("ldap", "$2y$10$abc")).not.toBe(revision);
});

import type { Identity } from "@registry-gate/auth";
import { comparableGroup, comparableUser } from "./group-name.ts";

/** The first of some subjects that would include the user without regard to case, spaces and Unicode forms. */
export function nearMissOf(subjects: readonly string[], identity: Identity): string | undefined {
  const folded = new Set([
    `user:${comparableUser(identity.username, "folded")}`,
    ...identity.groups.map((group) => `group:${comparableGroup(group, "folded")}`),
  ]);
  return subjects.find((subject) => {
    const [, kind, name] = /^(user|group):(.*)$/s.exec(subject) ?? [];
    if (kind === undefined || name === undefined) return false;
    return folded.has(`${kind}:${(kind === "user" ? comparableUser : comparableGroup)(name, "folded")}`);
  });
}

import { revisionOf } from "@registry-gate/auth-kit";
import type { Entry } from "../protocol/entry.ts";
import type { UserSettings } from "../settings.ts";

/**
 * The time of the last password change: pwdLastSet ([MS-ADA3] section 2.175) of Active Directory, elsewhere pwdChangedTime of
 * password policies (draft-behera-ldap-password-policy, section 5.3.2). A server omits it where it keeps none, or where the
 * reader lacks the right to see it.
 */
export function passwordChangeAttribute({ activeDirectory }: Pick<UserSettings, "activeDirectory">): string {
  return activeDirectory ? "pwdLastSet" : "pwdChangedTime";
}

/** @returns `undefined` where the entry does not say when the password was changed. */
export function passwordRevision(entry: Entry, settings: Pick<UserSettings, "activeDirectory">): string | undefined {
  const attribute = passwordChangeAttribute(settings);
  const [time, ...others] = entry.text(attribute);
  return time === undefined || time === "" || others.length > 0 ? undefined : revisionOf(attribute, time);
}

import type { Entry } from "../protocol/entry.ts";
import type { UserSettings } from "../settings.ts";

/** ACCOUNTDISABLE of userAccountControl ([MS-ADTS] section 2.2.16). */
const DISABLED = 0x2;

/** What {@link isDisabled} needs to find in the entry. */
export function disabledAttributes({ activeDirectory }: UserSettings): readonly string[] {
  return activeDirectory ? ["userAccountControl"] : [];
}

/**
 * Whether Active Directory has the account disabled. A domain controller refuses such a sign-in by itself; this holds
 * where a change has not reached the one that was asked.
 */
export function isDisabled(entry: Entry, { activeDirectory }: UserSettings): boolean {
  return activeDirectory && entry.text("userAccountControl").some((flags) => (Number(flags) & DISABLED) !== 0);
}

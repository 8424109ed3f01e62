import type { Entry } from "../protocol/entry.ts";
import type { UserSettings } from "../settings.ts";
import { isDisabled } from "./disabled-account.ts";

/** UF_PASSWORD_EXPIRED of msDS-User-Account-Control-Computed ([MS-ADTS] section 3.1.1.4.5.17). */
const PASSWORD_EXPIRED = 0x80_0000;
/** From 1601, when FILETIME begins, to 1970, in milliseconds. */
const EPOCH = 11_644_473_600_000n;
/** What accountExpires holds for never ([MS-ADA1] section 2.3). */
const NEVER: ReadonlySet<string> = new Set(["0", "9223372036854775807"]);
/** What pwdAccountLockedTime holds where an administrator has locked the account (draft-behera-ldap-password-policy). */
const LOCKED_FOR_GOOD = "000001010000Z";

/** What {@link accountFault} needs to find in the entry. A server leaves out what it does not know. */
export function accountStateAttributes({ activeDirectory }: UserSettings): readonly string[] {
  return activeDirectory
    ? ["userAccountControl", "accountExpires", "msDS-User-Account-Control-Computed"]
    : ["pwdAccountLockedTime", "pwdReset", "nsAccountLock", "loginDisabled"];
}

/**
 * Why a server would refuse a right password, by the attributes of the account alone. A lock that comes of wrong passwords
 * and goes by itself does not count: anybody could cause it.
 */
export function accountFault(entry: Entry, settings: UserSettings): string | undefined {
  if (isDisabled(entry, settings)) return "the account is disabled";
  if (settings.activeDirectory) {
    if (entry.text("accountExpires").some(isPast)) return "the account has expired";
    const computed = entry.text("msDS-User-Account-Control-Computed");
    if (computed.some((flags) => (Number(flags) & PASSWORD_EXPIRED) !== 0)) return "the password has expired";
    return undefined;
  }
  if (entry.text("pwdAccountLockedTime").includes(LOCKED_FOR_GOOD)) return "the account is locked";
  if (isTrue(entry, "pwdReset")) return "the password must be changed";
  return isTrue(entry, "nsAccountLock") || isTrue(entry, "loginDisabled") ? "the account is disabled" : undefined;
}

/** @param time A FILETIME, in units of 100 ns. */
function isPast(time: string): boolean {
  if (NEVER.has(time) || !/^\d{1,19}$/.test(time)) return false;
  return BigInt(time) / 10_000n - EPOCH <= BigInt(Date.now());
}

function isTrue(entry: Entry, attribute: string): boolean {
  return entry.text(attribute).some((value) => value.toUpperCase() === "TRUE");
}

import { foldValue, isStreamSafe } from "@registry-gate/auth-kit";

/** Combining marks, such as accents, and invisible characters. */
const PASSED_OVER = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The canonical form of a name for counting: one for all spellings that a directory may treat as equal. Directories
 * compare names without regard to case, compatibility forms and repeated spaces (RFC 4518), Active Directory without
 * regard to accents as well.
 *
 * Two users whose names differ only in these share a count, which matters only at the same address.
 */
export function attemptedName(username: string): string {
  if (!isStreamSafe(username)) return username;
  const seen = foldValue(username).normalize("NFD").replace(PASSED_OVER, "");
  return seen.replace(/ +/g, " ").trim();
}

import { foldValue, isStreamSafe } from "@registry-gate/auth-kit";

/** Marks, such as accents, and what is not to be seen at all. */
const PASSED_OVER = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The spelling that a name is counted in: one for all that a directory may take for the same. Directories compare names
 * without regard to case, compatibility forms and repeated space (RFC 4518), Active Directory without regard to accents
 * as well.
 *
 * Two users whose names differ in such a way alone share a count, which only matters at the same address.
 */
export function attemptedName(username: string): string {
  if (!isStreamSafe(username)) return username;
  const seen = foldValue(username).normalize("NFD").replace(PASSED_OVER, "");
  return seen.replace(/ +/g, " ").trim();
}

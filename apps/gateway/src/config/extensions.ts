import type { Path } from "./mend.ts";

/**
 * Whether a key of the map at a place is there for whatever is used again elsewhere, as in compose files, and is passed
 * over. Below an option of a backend such a key may be a name of the backend's own, like that of a claim.
 */
export function isExtension(place: Path, key: string): boolean {
  const isBackendOption = place.length > 3 && place[0] === "auth" && place[1] === "backends";
  return key.startsWith("x-") && !isBackendOption;
}

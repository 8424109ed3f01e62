/**
 * Every request has a marker, which is a component of its repository's name: by it the registry knows which request it
 * was sent, and everybody can tell whose content some bytes are.
 */

/** The marker of a request: `m` for one of a case, `v` for one of an ordinary client, `s` for one that is none. */
export type Marker = string;

export function markerOf(kind: "m" | "v" | "s", caseNumber: number, request: number): Marker {
  return `${kind}${`${caseNumber % 1_000_000}`.padStart(6, "0")}-${`${request % 100}`.padStart(2, "0")}`;
}

/** The marker in a target or in any other text; `undefined` where there is none. */
export function markerIn(text: string): Marker | undefined {
  return /[mvs]\d{6}-\d\d/.exec(text)?.[0];
}

/** The number of the case that a marker is of; `undefined` where it is an ordinary client's. */
export function caseNumberIn(marker: Marker): number | undefined {
  return marker.startsWith("v") ? undefined : Number(marker.slice(1, 7));
}

/** Of {@link contentMark} and {@link tailMark}, in bytes. */
export const markLength = 22;

/** One piece of a repository's content, of which no user may get a byte who may not pull it. */
export function contentMark(owner: string, marker: Marker): string {
  return `<own-${owner.slice(0, 5).padEnd(5, "_")}:${marker}>`;
}

/** What the registry sent beyond the end of a response: nobody may get a byte of it. */
export function tailMark(owner: string, marker: Marker): string {
  return `<end-${owner.slice(0, 5).padEnd(5, "_")}:${marker}>`;
}

export interface FoundMark {
  readonly kind: "own" | "end";
  readonly owner: string;
  readonly marker: Marker;
}

/** Each mark that is in the text, once. */
export function marksIn(text: string): FoundMark[] {
  const found = new Map<string, FoundMark>();
  for (const [all, kind, owner = "", marker = ""] of text.matchAll(/<(own|end)-([a-z_]{5}):([mvs]\d{6}-\d\d)>/g)) {
    if (!found.has(all)) found.set(all, { kind: kind === "own" ? "own" : "end", owner, marker });
  }
  return [...found.values()];
}

/** The address of the loopback network that a connection of a case comes from: each client is somebody else. */
export function addressOf(caseNumber: number, connection: number): string {
  return `127.${64 + ((caseNumber >> 8) & 127)}.${caseNumber & 255}.${1 + connection}`;
}

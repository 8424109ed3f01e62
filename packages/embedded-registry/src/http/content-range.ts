/** Where a chunk of an upload lies; both ends are inclusive offsets. */
export interface ChunkRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads the `Content-Range` of an upload, `<first>-<last>` (OCI distribution specification 1.1, "Pushing a blob in
 * chunks"; it is not the header of RFC 9110). Undefined where it is malformed.
 */
export function parseChunkRange(header: string): ChunkRange | undefined {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(header);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2]);
  return last < first ? undefined : { first, last };
}

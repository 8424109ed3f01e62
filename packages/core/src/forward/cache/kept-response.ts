import type { CacheResult } from "../../observe/record.ts";
import type { ResponseHead } from "../transport.ts";

/** A response of the registry whose body has the digest that it was asked for. */
export interface KeptResponse {
  /** By names in lower case, as the registry sent them; never changed. */
  readonly headers: ResponseHead["headers"];
  readonly body: Buffer;
  readonly etag: string | undefined;
  /** The digest of the body, as the registry names it; else the one that was asked for. */
  readonly digest: string;
  /** For how long it may be sent without asking the registry again, in milliseconds. */
  readonly lifetime: number;
  /** When the registry was asked for what confirms it, on the monotonic clock. */
  confirmed: number;
}

/** Headers of a 304 (RFC 9110, section 15.4.5), and the digest, which registries add for blobs. */
const ofNotModified: readonly string[] = ["cache-control", "docker-content-digest", "etag", "vary"];
/** In `If-None-Match`, as the gate writes it. */
const entityTag = /(?:W\/)?("[!#-~]*")/g;
const singleEntityTag = /^(?:W\/)?("[!#-~]*")$/;

export function headOf({ headers }: KeptResponse, cache: CacheResult): ResponseHead {
  return { statusCode: 200, headers, cache };
}

export function notModifiedHead({ headers }: KeptResponse, cache: CacheResult): ResponseHead {
  const kept: NodeJS.Dict<string | string[]> = Object.create(null);
  for (const name of ofNotModified) {
    const value = headers[name];
    if (value !== undefined) kept[name] = value;
  }
  return { statusCode: 304, headers: kept, cache };
}

/** The value of `ETag`, where it is valid. */
export function entityTagOf(headers: ResponseHead["headers"]): string | undefined {
  const { etag } = headers;
  return typeof etag === "string" && singleEntityTag.test(etag) ? etag : undefined;
}

/** Whether `If-None-Match` names the tag, by weak comparison (RFC 9110, section 13.1.2). */
export function namesEntityTag(condition: string, etag: string | undefined): boolean {
  if (condition === "*") return true;
  const [, opaque] = singleEntityTag.exec(etag ?? "") ?? [];
  if (opaque === undefined) return false;
  for (const [, named] of condition.matchAll(entityTag)) if (named === opaque) return true;
  return false;
}

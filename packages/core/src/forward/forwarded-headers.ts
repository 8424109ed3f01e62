import { authority } from "../grammar/authority.ts";
import { blobContentType, blobType, contentType } from "../grammar/content-type.ts";
import type { Grammar } from "../grammar/grammar.ts";
import { entityTags, httpDate, ifRange } from "../grammar/precondition.ts";
import { chunkRange, range } from "../grammar/range.ts";
import { requestId, userAgent } from "../grammar/sender.ts";
import { traceparent, tracestate } from "../grammar/trace-context.ts";
import { accept, acceptEncoding } from "../grammar/weighted-list.ts";
import type { Refusal } from "../route/refusal.ts";
import type { Operation } from "../route/route.ts";

/** A request header that an operation needs, and how it is forwarded. */
export interface ForwardedHeader {
  /** In lower case. */
  readonly name: string;
  readonly grammar: Grammar;
  /** The error for an invalid value. Without it the header is dropped, and the request is forwarded. */
  readonly refusal?: Refusal;
  /** It describes the body, and is dropped from a request without one. */
  readonly ofBody?: true;
  /** The value where the client sends none. */
  readonly otherwise?: string;
}

const common: readonly ForwardedHeader[] = [
  { name: "traceparent", grammar: traceparent },
  { name: "tracestate", grammar: tracestate },
  { name: "user-agent", grammar: userAgent },
  { name: "x-request-id", grammar: requestId },
];

const negotiated: readonly ForwardedHeader[] = [
  { name: "accept", grammar: accept },
  { name: "accept-encoding", grammar: acceptEncoding },
];

/**
 * The counterpart of the parameter `ns`, for a mirror that reads the header. Without it, the mirror would use another
 * registry.
 */
const ofMirror: ForwardedHeader = {
  name: "oci-namespace",
  grammar: authority,
  refusal: malformed("OCI-Namespace"),
};

/** Conditions of caches: dropping an invalid one leads to the whole response, which is always correct. */
const revalidated: readonly ForwardedHeader[] = [
  { name: "if-modified-since", grammar: httpDate },
  { name: "if-none-match", grammar: entityTags },
];

// The condition of a change is never dropped: the change would become unconditional.
const unmodified: readonly ForwardedHeader[] = [
  { name: "if-match", grammar: entityTags, refusal: malformed("If-Match") },
  { name: "if-unmodified-since", grammar: httpDate, refusal: malformed("If-Unmodified-Since") },
];

const unsupportedMediaType: Refusal = {
  status: 415,
  code: "UNSUPPORTED",
  message: "the media type of the body is not supported",
};

const ofBlob: ForwardedHeader = {
  name: "content-type",
  grammar: blobContentType,
  refusal: unsupportedMediaType,
  ofBody: true,
  otherwise: blobType,
};

const ofManifest: ForwardedHeader = {
  name: "content-type",
  grammar: contentType,
  refusal: unsupportedMediaType,
  ofBody: true,
};

const ofChunk: ForwardedHeader = {
  name: "content-range",
  grammar: chunkRange,
  refusal: { status: 400, code: "BLOB_UPLOAD_INVALID", message: "the Content-Range header must be START-END" },
  ofBody: true,
};

/**
 * Request headers forwarded upstream, by operation; all others are dropped: credentials, cookies, hop-by-hop headers,
 * method overrides, identity headers, and unknown ones. The gate itself writes `Host`, the framing, and the headers
 * about the client.
 */
export const forwardedHeaders: Readonly<Record<Operation, readonly ForwardedHeader[]>> = {
  ping: common,
  "list-repositories": [...negotiated, ...common],
  "list-tags": [...negotiated, ofMirror, ...common],
  "list-referrers": [...negotiated, ofMirror, ...common],
  "get-manifest": [
    // The registry selects a manifest by it.
    { name: "accept", grammar: accept, refusal: malformed("Accept") },
    { name: "accept-encoding", grammar: acceptEncoding },
    ...revalidated,
    ofMirror,
    ...common,
  ],
  "put-manifest": [
    ofManifest,
    ...unmodified,
    { name: "if-none-match", grammar: entityTags, refusal: malformed("If-None-Match") },
    ...common,
  ],
  "delete-manifest": [...unmodified, ...common],
  "get-blob": [
    ...negotiated,
    ...revalidated,
    { name: "if-range", grammar: ifRange, refusal: malformed("If-Range") },
    { name: "range", grammar: range, refusal: malformed("Range") },
    ofMirror,
    ...common,
  ],
  "delete-blob": [...unmodified, ...common],
  "start-upload": [ofBlob, ...common],
  "get-upload": common,
  "continue-upload": [ofChunk, ofBlob, ...common],
  "finish-upload": [ofChunk, ofBlob, ...common],
  "cancel-upload": common,
};

function malformed(name: string): Refusal {
  return { status: 400, code: "UNSUPPORTED", message: `the ${name} header is malformed` };
}

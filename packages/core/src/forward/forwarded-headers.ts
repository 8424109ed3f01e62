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

/** A request header that an operation needs, and how it travels to the registry. */
export interface ForwardedHeader {
  /** In lower case. */
  readonly name: string;
  readonly grammar: Grammar;
  /** The response to a value outside the grammar. Without it the header is dropped, and the request goes on. */
  readonly refusal?: Refusal;
  /** It describes the body, and without a body it is dropped whatever it says. */
  readonly ofBody?: true;
  /** What the registry is told where the client says nothing. */
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

/** What the parameter `ns` says, for a mirror that reads it from a header. Without it, it would read another registry. */
const ofMirror: ForwardedHeader = {
  name: "oci-namespace",
  grammar: authority,
  refusal: malformed("OCI-Namespace"),
};

/** A cache's own: a value that says nothing leads to the whole response, which is never wrong. */
const revalidated: readonly ForwardedHeader[] = [
  { name: "if-modified-since", grammar: httpDate },
  { name: "if-none-match", grammar: entityTags },
];

// What a client makes a change depend on is never dropped: the change would be made without the condition.
const unmodified: readonly ForwardedHeader[] = [
  { name: "if-match", grammar: entityTags, refusal: malformed("If-Match") },
  { name: "if-unmodified-since", grammar: httpDate, refusal: malformed("If-Unmodified-Since") },
];

const unsupportedMediaType: Refusal = {
  status: 415,
  code: "UNSUPPORTED",
  message: "the body has no media type that a registry takes",
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
 * The request headers that each operation needs; all others stay here: credentials, cookies, hop-by-hop headers, method
 * overrides, identity headers, and whatever is not known. `Host`, the framing and what says who the client is are not
 * among them: the gate writes those itself.
 */
export const forwardedHeaders: Readonly<Record<Operation, readonly ForwardedHeader[]>> = {
  ping: common,
  "list-repositories": [...negotiated, ...common],
  "list-tags": [...negotiated, ofMirror, ...common],
  "list-referrers": [...negotiated, ofMirror, ...common],
  "get-manifest": [
    // Which of several manifests the registry chooses depends on it.
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

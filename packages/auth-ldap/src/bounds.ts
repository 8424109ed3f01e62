/**
 * What a directory may cost. The numbers lie far above what honest directories send, and low enough that a response at
 * its bound is read within a fraction of a second and held in some megabytes. What exceeds a bound is a
 * {@link DirectoryError} of kind `content`.
 */
type Bounds<Name extends string> = Readonly<Record<Name, number>>;

/** Of one response: all messages between a request and its last one. */
export const RESPONSE: Bounds<"bytes" | "elements" | "messages"> = {
  bytes: 4 * 1024 * 1024,
  /** Of BER; a value is one, an attribute three more, an entry six more. */
  elements: 100_000,
  /** Entries and references. */
  messages: 20_000,
};

/** Of all searches of one login. */
export const LOGIN: Bounds<"searches" | "bytes" | "timeouts"> = {
  searches: 100,
  bytes: 16 * 1024 * 1024,
  /** In multiples of the time for one operation. */
  timeouts: 10,
};

/** Of the filter of one search. Servers limit the bytes of a request, and the alternatives in it. */
export const FILTER: Bounds<"alternatives" | "bytes"> = { alternatives: 200, bytes: 64 * 1024 };

/** Of a user: those that are reported, and those that are passed through on the way. */
export const GROUPS: Bounds<"count" | "levels"> = { count: 10_000, levels: 32 };

/** In characters. */
export const LONGEST: Bounds<"dn" | "name" | "diagnostic"> = { dn: 8192, name: 1024, diagnostic: 1024 };

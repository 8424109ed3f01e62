import { StateUnavailableError } from "./state-unavailable-error.ts";

/** Printable ASCII: no store and no tool takes two keys for the same. */
const keyPattern = /^[\x21-\x7e]{1,512}$/;
const prefixPattern = /^[\x21-\x7e]{0,512}$/;
const maxValueBytes = 65_536;
/** The longest duration that a configuration can have, in milliseconds. */
const maxTtl = 36_525 * 24 * 60 * 60 * 1000;

/** How many entries a list can have. */
export const maxListed = 10_000;

export function requireKey(key: string): void {
  if (!keyPattern.test(key)) throw new StateUnavailableError("a key is not 1 to 512 characters of printable ASCII");
}

export function requirePrefix(prefix: string): void {
  if (!prefixPattern.test(prefix)) throw new StateUnavailableError("a prefix is not printable ASCII");
}

export function requireValue(value: string): void {
  // A lone surrogate would come back from UTF-8 as another character.
  if (!value.isWellFormed()) throw new StateUnavailableError("a value is not well-formed Unicode");
  if (Buffer.byteLength(value) > maxValueBytes)
    throw new StateUnavailableError(`a value is over ${maxValueBytes} bytes`);
}

/** @returns whole milliseconds, rounded up. */
export function requireTtl(ttl: number): number {
  const whole = Math.ceil(ttl);
  if (whole >= 1 && whole <= maxTtl) return whole;
  throw new StateUnavailableError("a ttl is not from 1 ms to 36525 days");
}

export function requireAmount(amount: number): void {
  if (!Number.isSafeInteger(amount)) throw new StateUnavailableError("an amount is not a whole number");
}

export function tooMany(): StateUnavailableError {
  return new StateUnavailableError(`more than ${maxListed} entries are listed at once`);
}

export function notANumber(cause?: unknown): StateUnavailableError {
  return new StateUnavailableError("what is incremented is no whole number", { cause });
}

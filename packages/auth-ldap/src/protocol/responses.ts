import { LONGEST } from "../bounds.ts";
import { DirectoryError } from "../directory-error.ts";
import { type Element, readElement, readNumber } from "./ber.ts";
import { createEntry, type Entry } from "./entry.ts";
import type { Message } from "./message-reader.ts";

/**
 * Reads responses. ldapts could, but its readers trust the inner lengths and tags of a message: some
 * inconsistent ones make them loop for ever.
 */

/** The tags of responses (RFC 4511, appendix B). */
export const TAGS = { bind: 0x61, entry: 0x64, searchDone: 0x65, reference: 0x73, extended: 0x78 } as const;

/** The result of an operation (RFC 4511, section 4.1.9). */
export interface LdapResult {
  readonly code: number;
  /** What the server says about it, for the log; cut where it is long. */
  readonly diagnostic: string;
}

/** What a server with password policies adds to the result of a bind (draft-behera-ldap-password-policy, section 6.2). */
export interface PolicyState {
  /** 0 expired, 1 locked, 2 to be changed; servers know more. */
  readonly error: number | undefined;
}

export interface BindResult extends LdapResult {
  readonly policy: PolicyState | undefined;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OCTET_STRING = 0x04;
const ENUMERATED = 0x0a;
const CONTROLS = 0xa0;
const PASSWORD_POLICY = "1.3.6.1.4.1.42.2.27.8.5.1";

/** @throws {DirectoryError} of kind `protocol`, as the others do. */
export function readEntry({ bytes, operation }: Message): Entry {
  const [name, list, ...others] = children(bytes, operation);
  if (others.length > 0) throw malformedResponse();
  const attributes = children(bytes, expected(list, SEQUENCE)).map((attribute) => {
    const [type, set] = children(bytes, expected(attribute, SEQUENCE));
    const values = children(bytes, expected(set, SET)).map((value) => content(bytes, expected(value, OCTET_STRING)));
    return [text(bytes, type), values] as const;
  });
  return createEntry(text(bytes, name), attributes);
}

export function readResult({ bytes, operation }: Message): LdapResult {
  const [code, matched, diagnostic] = children(bytes, operation);
  const number = readNumber(bytes, expected(code, ENUMERATED));
  if (number === undefined) throw malformedResponse();
  expected(matched, OCTET_STRING);
  return { code: number, diagnostic: text(bytes, diagnostic).slice(0, LONGEST.diagnostic) };
}

export function readBindResult(message: Message): BindResult {
  const { bytes, controls } = message;
  const list = controls === undefined ? [] : children(bytes, expected(controls, CONTROLS));
  let policy: PolicyState | undefined;
  for (const control of list) {
    const [type, ...rest] = children(bytes, expected(control, SEQUENCE));
    const value = rest.find(({ tag }) => tag === OCTET_STRING);
    if (text(bytes, type) === PASSWORD_POLICY && value !== undefined) policy = readPolicy(bytes, value);
  }
  return { ...readResult(message), policy };
}

/** A value of the control is a SEQUENCE of a warning and an error, each of which may be missing. */
function readPolicy(bytes: Buffer, value: Element): PolicyState {
  const [sequence] = children(bytes, value);
  const error = children(bytes, expected(sequence, SEQUENCE)).find(({ tag }) => tag === 0x81);
  return { error: error === undefined ? undefined : readNumber(bytes, error) };
}

function children(bytes: Buffer, { start, end }: Element): readonly Element[] {
  const found: Element[] = [];
  for (let offset = start; offset < end; ) {
    const element = readElement(bytes, offset, end);
    if (element === undefined) throw malformedResponse();
    found.push(element);
    offset = element.end;
  }
  return found;
}

function expected(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) throw malformedResponse();
  return element;
}

const content = (bytes: Buffer, { start, end }: Element): Buffer => bytes.subarray(start, end);

function text(bytes: Buffer, element: Element | undefined): string {
  return content(bytes, expected(element, OCTET_STRING)).toString("utf8");
}

function malformedResponse(): DirectoryError {
  return new DirectoryError("protocol", "malformed response");
}

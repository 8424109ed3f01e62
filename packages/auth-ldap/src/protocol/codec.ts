import {
  AndFilter,
  ApproximateFilter,
  BerReader,
  BindRequest,
  BindResponse,
  EqualityFilter,
  ExtendedRequest,
  ExtendedResponse,
  ExtensibleFilter,
  GreaterThanEqualsFilter,
  type Filter as LdaptsFilter,
  LessThanEqualsFilter,
  type MessageResponse,
  NotFilter,
  OrFilter,
  PasswordPolicyControl,
  PresenceFilter,
  SearchEntry,
  SearchRequest,
  SearchResponse,
  SubstringFilter,
} from "ldapts";
import { DirectoryFault } from "../faults.ts";
import type { Filter } from "../filter/filter.ts";
import { createEntry, type Entry } from "./entry.ts";
import type { Message } from "./message-reader.ts";

/** The one place that uses ldapts: it writes requests and reads answers. */

/** The tags of the answers (RFC 4511, appendix B). */
export const TAGS = { bind: 0x61, entry: 0x64, searchDone: 0x65, reference: 0x73, extended: 0x78 } as const;

/** The result of an operation (RFC 4511, section 4.1.9). */
export interface LdapResult {
  readonly code: number;
  /** What the server says about it, for the log. */
  readonly diagnostic: string;
}

/** What a server with password policies adds to the result of a bind (draft-behera-ldap-password-policy, section 6.2). */
export interface PolicyState {
  /** 0 expired, 1 locked, 2 to be changed; servers know more. */
  readonly error: number | undefined;
  readonly graceLogins: number | undefined;
}

export interface BindResult extends LdapResult {
  readonly policy: PolicyState | undefined;
}

export type SearchScope = "base" | "one" | "sub";

export interface SearchQuery {
  readonly base: string;
  readonly scope: SearchScope;
  readonly filter: Filter;
  /** Never empty: none would ask for all. */
  readonly attributes: readonly string[];
  /** The most entries to answer with; the result is 4 where there are more. */
  readonly sizeLimit?: number;
}

/** Aliases and referrals are never followed. */
export function encodeSearch(messageId: number, query: SearchQuery, seconds: number): Buffer {
  const request = new SearchRequest({
    messageId,
    baseDN: query.base,
    scope: query.scope,
    filter: toLdapts(query.filter),
    attributes: [...query.attributes],
    timeLimit: seconds,
    sizeLimit: query.sizeLimit ?? 0,
  });
  return request.write();
}

/** A simple bind. `policy`: ask for the state of the account as well. */
export function encodeBind(messageId: number, dn: string, password: string, policy: boolean): Buffer {
  const controls = policy ? [new PasswordPolicyControl()] : [];
  return new BindRequest({ messageId, dn, password, controls }).write();
}

/** StartTLS (RFC 4511, section 4.14.1). */
export function encodeStartTls(messageId: number): Buffer {
  return new ExtendedRequest({ messageId, oid: "1.3.6.1.4.1.1466.20037" }).write();
}

export function decodeEntry(message: Message): Entry {
  const entry = decode(message, new SearchEntry({ messageId: message.id }), []);
  return createEntry(
    entry.name,
    entry.attributes.map(({ type, parsedBuffers }) => [type, parsedBuffers]),
  );
}

export function decodeSearchDone(message: Message): LdapResult {
  return resultOf(decode(message, new SearchResponse({ messageId: message.id }), []));
}

export function decodeExtended(message: Message): LdapResult {
  return resultOf(decode(message, new ExtendedResponse({ messageId: message.id }), []));
}

export function decodeBind(message: Message): BindResult {
  const control = new PasswordPolicyControl();
  const result = resultOf(decode(message, new BindResponse({ messageId: message.id }), [control]));
  const { value } = control;
  return {
    ...result,
    policy: value === undefined ? undefined : { error: value.error, graceLogins: value.graceAuthNsRemaining },
  };
}

function decode<T extends MessageResponse>({ bytes }: Message, response: T, controls: PasswordPolicyControl[]): T {
  try {
    const reader = new BerReader(bytes);
    reader.readSequence();
    reader.readInt();
    reader.readSequence();
    response.parse(reader, controls);
    return response;
  } catch (cause) {
    throw new DirectoryFault("protocol", "an answer is not understood", { cause });
  }
}

function resultOf({ status, errorMessage }: MessageResponse): LdapResult {
  return { code: status, diagnostic: errorMessage };
}

function toLdapts(filter: Filter): LdaptsFilter {
  switch (filter.kind) {
    case "and":
      return new AndFilter({ filters: filter.filters.map(toLdapts) });
    case "or":
      return new OrFilter({ filters: filter.filters.map(toLdapts) });
    case "not":
      return new NotFilter({ filter: toLdapts(filter.filter) });
    case "present":
      return new PresenceFilter(filter);
    case "equal":
      return new EqualityFilter(filter);
    case "atLeast":
      return new GreaterThanEqualsFilter(filter);
    case "atMost":
      return new LessThanEqualsFilter(filter);
    case "approximately":
      return new ApproximateFilter(filter);
    case "substring":
      return new SubstringFilter({ ...filter, any: [...filter.any] });
    case "extensible": {
      const { attribute: matchType, rule, dnAttributes, value } = filter;
      return new ExtensibleFilter({
        ...(matchType !== undefined && { matchType }),
        ...(rule !== undefined && { rule }),
        dnAttributes,
        value,
      });
    }
  }
}

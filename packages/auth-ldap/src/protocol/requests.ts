import {
  AndFilter,
  ApproximateFilter,
  BindRequest,
  EqualityFilter,
  ExtendedRequest,
  ExtensibleFilter,
  GreaterThanEqualsFilter,
  type Filter as LdaptsFilter,
  LessThanEqualsFilter,
  NotFilter,
  OrFilter,
  PasswordPolicyControl,
  PresenceFilter,
  SearchRequest,
  SubstringFilter,
} from "ldapts";
import type { Filter } from "../filter/filter.ts";

/** The one place that uses ldapts: it writes the requests. */

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

import { type DN, foldValue } from "@registry-gate/auth-kit";
import { both, either, equal, type Filter } from "../filter/filter.ts";
import type { Entry } from "../protocol/entry.ts";

/** The forms in which a name of Active Directory is written. */
export type LoginName =
  /** `alice`, the sAMAccountName. */
  | { readonly kind: "account"; readonly account: string }
  /** `CORP\alice` */
  | { readonly kind: "down-level"; readonly domain: string; readonly account: string }
  /** `alice@corp.example.com`: a user principal name, or the account and the domain. */
  | { readonly kind: "principal"; readonly whole: string; readonly account: string; readonly suffix: string };

/** @returns `undefined` for a name with an empty part. */
export function parseLoginName(name: string): LoginName | undefined {
  const backslash = name.indexOf("\\");
  const at = name.lastIndexOf("@");
  if (backslash !== -1) {
    const domain = name.slice(0, backslash);
    const account = name.slice(backslash + 1);
    return domain === "" || account === "" ? undefined : { kind: "down-level", domain, account };
  }
  if (at === -1) return { kind: "account", account: name };
  const account = name.slice(0, at);
  const suffix = name.slice(at + 1);
  return account === "" || suffix === "" ? undefined : { kind: "principal", whole: name, account, suffix };
}

/** sAMAccountType of a user, which neither computers nor managed service accounts have. */
export const USER_ACCOUNT: Filter = equal("sAMAccountType", "805306368");

/** Finds every entry that may be meant. */
export function loginNameFilter(name: LoginName): Filter {
  const account = equal("sAMAccountName", name.account);
  const meant = name.kind === "principal" ? either([equal("userPrincipalName", name.whole), account]) : account;
  return both(USER_ACCOUNT, meant);
}

/** Whether the entry that was found is the one meant by a name in the form of a principal. */
export function isPrincipal(entry: Entry, dn: DN, name: Extract<LoginName, { kind: "principal" }>): boolean {
  const [whole, short] = [foldValue(name.whole), foldValue(name.account)];
  const explicit = entry.text("userPrincipalName").some((upn) => foldValue(upn) === whole);
  const account = entry.text("sAMAccountName").some((sam) => foldValue(sam) === short);
  return explicit || (account && dnsDomain(dn) === foldValue(name.suffix));
}

/** The DNS name of the domain that an entry is in. */
function dnsDomain(dn: DN): string {
  return domainOf(dn)
    .map(([ava]) => foldValue(ava?.value ?? ""))
    .join(".");
}

/** The DN of the domain that an entry is in: what it ends with in `DC=`. */
export function domainOf(dn: DN): DN {
  const start = dn.findLastIndex((rdn) => rdn.length !== 1 || rdn[0]?.type !== "dc") + 1;
  return dn.slice(start);
}

import { type Duration, type Fault, InvalidOptionsError, parseDuration, timerDelay } from "@registry-gate/auth";
import { canonicalDN, canonicalRDNs, type DN, parseDN, writeCanonical } from "@registry-gate/auth-kit";
import { type FilterTemplate, fillTemplate, type Hole } from "./filter/filter-template.ts";
import { parseFilterTemplate } from "./filter/parse-filter-template.ts";
import type { GroupOptions, LdapOptions } from "./options.ts";
import type { DirectorySettings, GroupSettings, Naming, Settings, UserSettings, Warning } from "./settings.ts";
import { parseServerUrl, type ServerAddress } from "./url.ts";
import { parseDNTemplate } from "./user/dn-template.ts";
import { domainOf } from "./user/login-name.ts";

type Tell = (path: Fault["path"], message: string) => void;

/** What {@link settle} leaves to the files that the options name. */
export type UnconnectedSettings = Omit<Settings, "directory"> & {
  readonly directory: Omit<DirectorySettings, "connect"> & {
    readonly connect: Omit<DirectorySettings["connect"], "secureContext">;
  };
};

/**
 * Parses and compiles options of the right shape, and fills in the defaults.
 *
 * @throws {InvalidOptionsError} with every fault.
 */
export function settle(options: LdapOptions): UnconnectedSettings {
  const faults: Fault[] = [];
  const tell: Tell = (path, message) => void faults.push({ path, message });
  const addresses = settleUrls(options, tell);
  checkCredentials(options, tell);
  const user = settleUser(options, tell);
  const groups = settleGroups(options, tell);
  if (faults.length > 0 || user === undefined || groups === undefined) throw new InvalidOptionsError(faults);
  const { startTLS = false, serverName, timeout, connectTimeout, pool = {} } = options;
  return {
    directory: {
      addresses,
      connect: { startTLS, serverName, connectTimeout: inMilliseconds(connectTimeout, 3000) },
      timeout: inMilliseconds(timeout, 5000),
      pool: { size: pool.size ?? 8, idle: inMilliseconds(pool.idle, 60_000), maxWaiting: pool.maxWaiting ?? 500 },
    },
    user,
    groups,
    requiredGroup: options.requiredGroup,
    warnings: warningsOf(groups, options),
  };
}

function settleUrls({ urls, startTLS, allowCleartext }: LdapOptions, tell: Tell): readonly ServerAddress[] {
  const seen = new Set<string>();
  return urls.flatMap((url, index) => {
    const at = ["urls", index];
    const parsed = parseServerUrl(url);
    if ("fault" in parsed) {
      tell(at, parsed.fault);
      return [];
    }
    const { address } = parsed;
    const place = `${address.host.toLowerCase()} ${address.port}`;
    if (seen.has(place)) tell(at, "names a server that is named before");
    seen.add(place);
    if (!address.ldaps && startTLS !== true && allowCleartext !== true) {
      tell(at, "sends passwords in clear text: use ldaps://, or startTLS, or allow it by allowCleartext");
    }
    return [address];
  });
}

function checkCredentials(options: LdapOptions, tell: Tell): void {
  const { bindDN, bindPassword, bindPasswordFile, clientCert, clientKey, activeDirectory } = options;
  const passwords = [bindPassword, bindPasswordFile].filter((password) => password !== undefined).length;
  if (bindDN === undefined && passwords > 0) tell(["bindDN"], "is required where there is a password for it");
  if (bindDN !== undefined && passwords === 0) tell(["bindPasswordFile"], "is required where there is a bindDN");
  if (passwords === 2) tell(["bindPassword"], "must not stand beside bindPasswordFile");
  if (bindDN !== undefined && !isDN(bindDN)) {
    const principal = activeDirectory === true && /^[^@\\]+(?:@[^@\\]+|\\[^@\\]+)$/.test(bindDN);
    if (!principal) tell(["bindDN"], "is not a DN");
  }
  if (clientCert !== undefined && clientKey === undefined)
    tell(["clientKey"], "is required where there is a clientCert");
  if (clientKey !== undefined && clientCert === undefined)
    tell(["clientCert"], "is required where there is a clientKey");
  if (options.requiredGroup?.trim() === "") tell(["requiredGroup"], "is empty");
}

function settleUser(options: LdapOptions, tell: Tell): UserSettings | undefined {
  const { searchBase, searchFilter, searchScope: scope = "sub", userDNTemplate, activeDirectory = false } = options;
  const usernameAttribute = options.usernameAttribute ?? (activeDirectory ? "sAMAccountName" : "uid");
  const lowerCase = options.usernameCase === "lower";
  const common = { usernameAttribute, lowerCase, activeDirectory, readsItself: false };
  if (userDNTemplate !== undefined) {
    for (const option of ["searchBase", "searchFilter", "searchScope"] as const) {
      if (options[option] !== undefined) tell([option], "is of no use beside userDNTemplate");
    }
    const parsed = parseDNTemplate(userDNTemplate);
    if ("fault" in parsed) return void tell(["userDNTemplate"], parsed.fault);
    const readsItself = options.bindDN === undefined;
    return { ...common, by: { kind: "template", template: parsed.template }, readsItself };
  }
  if (searchBase === undefined) tell(["searchBase"], "is required, unless there is a userDNTemplate");
  else if (!isDN(searchBase)) tell(["searchBase"], "is not a DN");
  const base = searchBase ?? "";
  if (activeDirectory && searchFilter === undefined) return { ...common, by: { kind: "login-name", base, scope } };
  const filter = compile(searchFilter ?? `(${usernameAttribute}={{username}})`, ["username"], ["searchFilter"], tell);
  return filter && { ...common, by: { kind: "search", base, scope, filter } };
}

function settleGroups(options: LdapOptions, tell: Tell): GroupSettings | undefined {
  const { groups = {}, activeDirectory = false } = options;
  const { searchBase, searchFilter, searchScope: scope = "sub", memberOfAttribute } = groups;
  const nameAttribute = groups.nameAttribute ?? (activeDirectory ? ACCOUNT_NAME : "cn");
  const nested = groups.nested ?? activeDirectory;
  const dn = searchBase === undefined ? undefined : parseDN(searchBase);
  if (searchBase !== undefined && !isDN(searchBase)) tell(["groups", "searchBase"], "is not a DN");
  if (searchFilter !== undefined && memberOfAttribute !== undefined) {
    tell(["groups", "memberOfAttribute"], "is of no use beside searchFilter");
  }
  const route = settleRoute(groups, activeDirectory, tell);
  if (searchBase === undefined && !activeDirectory && (searchFilter !== undefined || nested)) {
    tell(["groups", "searchBase"], `is required for ${searchFilter === undefined ? "nested groups" : "searchFilter"}`);
  }
  const base = searchBase === undefined || dn === undefined ? undefined : { text: searchBase, rdns: canonicalRDNs(dn) };
  const naming = settleNaming(options, nameAttribute, dn);
  return route && { route, base, scope, nameAttribute, naming, nested, activeDirectory };
}

/** In a domain of Active Directory no two entries have the same one. */
const ACCOUNT_NAME = "sAMAccountName";

function settleNaming(options: LdapOptions, nameAttribute: string, base: DN | undefined): Naming {
  const { searchBase, userDNTemplate, bindDN, activeDirectory = false } = options;
  if (activeDirectory && nameAttribute.toLowerCase() === ACCOUNT_NAME.toLowerCase()) {
    const domain = domainOf(base ?? parseDN(searchBase ?? userDNTemplate ?? "") ?? []);
    if (domain.length > 0) return { kind: "domain", domain: writeCanonical(domain) };
  }
  if (base === undefined) return { kind: "none" };
  // A user who reads groups as nobody else does may be kept from seeing some.
  return { kind: "place", searched: userDNTemplate === undefined || bindDN !== undefined };
}

function warningsOf({ naming, scope }: GroupSettings, { requiredGroup }: LdapOptions): readonly Warning[] {
  const option = "groups.searchBase";
  if (naming.kind === "place" && !naming.searched && scope === "sub") {
    const message = `only groups directly below ${option} have short names where there is no bindDN; name others by DN`;
    return [{ option, message }];
  }
  if (naming.kind !== "none") return [];
  const warnings = [{ option, message: `rules must name groups by DN: without ${option} no group has a short name` }];
  if (requiredGroup === undefined || canonicalDN(requiredGroup) !== undefined) return warnings;
  const message = `keeps everybody out: without ${option} it must be a DN`;
  return [...warnings, { option: "requiredGroup", message }];
}

function settleRoute(
  { searchFilter, memberOfAttribute }: GroupOptions,
  activeDirectory: boolean,
  tell: Tell,
): GroupSettings["route"] | undefined {
  if (searchFilter !== undefined) {
    const filter = compile(searchFilter, ["dn", "username"], ["groups", "searchFilter"], tell);
    return filter && { kind: "search", filter };
  }
  if (activeDirectory && memberOfAttribute === undefined) return { kind: "token" };
  return { kind: "memberOf", attribute: memberOfAttribute ?? "memberOf" };
}

function compile(text: string, holes: readonly Hole[], path: Fault["path"], tell: Tell): FilterTemplate | undefined {
  const parsed = parseFilterTemplate(text, holes);
  if ("fault" in parsed) return void tell(path, parsed.fault);
  const named = holes.map((hole) => `{{${hole}}}`).join(" or ");
  if (parsed.used.size === 0) return void tell(path, `must hold ${named}`);
  // Without anybody in it, the filter must not be true of everybody.
  if (fillTemplate(parsed.template, {}) === true) return void tell(path, `must require ${named}`);
  return parsed.template;
}

function isDN(text: string): boolean {
  const dn = parseDN(text);
  return dn !== undefined && dn.length > 0;
}

function inMilliseconds(duration: Duration | undefined, byDefault: number): number {
  return timerDelay(duration === undefined ? byDefault : (parseDuration(duration) ?? byDefault));
}

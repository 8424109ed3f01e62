import { type Duration, type Fault, InvalidOptionsError, parseDuration, timerDelay } from "@registry-gate/auth";
import { canonicalDN, canonicalRDNs, type DN, parseDN, writeCanonical } from "@registry-gate/auth-kit";
import { type FilterTemplate, fillTemplate, type Placeholder } from "./filter/filter-template.ts";
import { parseFilterTemplate } from "./filter/parse-filter-template.ts";
import type { GroupOptions, LdapOptions } from "./options.ts";
import type { DirectorySettings, GroupSettings, Naming, Settings, UserSettings, Warning } from "./settings.ts";
import { parseServerUrl, type ServerAddress } from "./url.ts";
import { parseDNTemplate } from "./user/dn-template.ts";
import { domainOf } from "./user/login-name.ts";

type AddFault = (path: Fault["path"], message: string) => void;

/** What {@link resolveOptions} leaves to the files that the options name. */
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
export function resolveOptions(options: LdapOptions): UnconnectedSettings {
  const faults: Fault[] = [];
  const addFault: AddFault = (path, message) => void faults.push({ path, message });
  const addresses = resolveUrls(options, addFault);
  checkCredentials(options, addFault);
  const user = resolveUser(options, addFault);
  const groups = resolveGroups(options, addFault);
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

function resolveUrls({ urls, startTLS, allowCleartext }: LdapOptions, addFault: AddFault): readonly ServerAddress[] {
  const seen = new Set<string>();
  return urls.flatMap((url, index) => {
    const at = ["urls", index];
    const parsed = parseServerUrl(url);
    if ("fault" in parsed) {
      addFault(at, parsed.fault);
      return [];
    }
    const { address } = parsed;
    const place = `${address.host.toLowerCase()} ${address.port}`;
    if (seen.has(place)) addFault(at, "is a duplicate");
    seen.add(place);
    if (!address.ldaps && startTLS !== true && allowCleartext !== true) {
      addFault(at, "sends passwords in clear text: use ldaps://, or startTLS, or allow it by allowCleartext");
    }
    return [address];
  });
}

function checkCredentials(options: LdapOptions, addFault: AddFault): void {
  const { bindDN, bindPassword, bindPasswordFile, clientCert, clientKey, activeDirectory } = options;
  const passwords = [bindPassword, bindPasswordFile].filter((password) => password !== undefined).length;
  if (bindDN === undefined && passwords > 0) addFault(["bindDN"], "is required with a bind password");
  if (bindDN !== undefined && passwords === 0) addFault(["bindPasswordFile"], "is required with bindDN");
  if (passwords === 2) addFault(["bindPassword"], "cannot be combined with bindPasswordFile");
  if (bindDN !== undefined && !isDN(bindDN)) {
    const principal = activeDirectory === true && /^[^@\\]+(?:@[^@\\]+|\\[^@\\]+)$/.test(bindDN);
    if (!principal) addFault(["bindDN"], "is not a DN");
  }
  if (clientCert !== undefined && clientKey === undefined) addFault(["clientKey"], "is required with clientCert");
  if (clientKey !== undefined && clientCert === undefined) addFault(["clientCert"], "is required with clientKey");
  if (options.requiredGroup?.trim() === "") addFault(["requiredGroup"], "is empty");
}

function resolveUser(options: LdapOptions, addFault: AddFault): UserSettings | undefined {
  const { searchBase, searchFilter, searchScope: scope = "sub", userDNTemplate, activeDirectory = false } = options;
  const usernameAttribute = options.usernameAttribute ?? (activeDirectory ? "sAMAccountName" : "uid");
  const lowerCase = options.usernameCase === "lower";
  const common = { usernameAttribute, lowerCase, activeDirectory, readsOwnEntry: false };
  if (userDNTemplate !== undefined) {
    for (const option of ["searchBase", "searchFilter", "searchScope"] as const) {
      if (options[option] !== undefined) addFault([option], "has no effect with userDNTemplate");
    }
    const parsed = parseDNTemplate(userDNTemplate);
    if ("fault" in parsed) return void addFault(["userDNTemplate"], parsed.fault);
    const readsOwnEntry = options.bindDN === undefined;
    return { ...common, by: { kind: "template", template: parsed.template }, readsOwnEntry };
  }
  if (searchBase === undefined) addFault(["searchBase"], "is required, unless there is a userDNTemplate");
  else if (!isDN(searchBase)) addFault(["searchBase"], "is not a DN");
  const base = searchBase ?? "";
  if (activeDirectory && searchFilter === undefined) return { ...common, by: { kind: "login-name", base, scope } };
  const filter = compile(
    searchFilter ?? `(${usernameAttribute}={{username}})`,
    ["username"],
    ["searchFilter"],
    addFault,
  );
  return filter && { ...common, by: { kind: "search", base, scope, filter } };
}

function resolveGroups(options: LdapOptions, addFault: AddFault): GroupSettings | undefined {
  const { groups = {}, activeDirectory = false } = options;
  const { searchBase, searchFilter, searchScope: scope = "sub", memberOfAttribute } = groups;
  const nameAttribute = groups.nameAttribute ?? (activeDirectory ? ACCOUNT_NAME : "cn");
  const nested = groups.nested ?? activeDirectory;
  const dn = searchBase === undefined ? undefined : parseDN(searchBase);
  if (searchBase !== undefined && !isDN(searchBase)) addFault(["groups", "searchBase"], "is not a DN");
  if (searchFilter !== undefined && memberOfAttribute !== undefined) {
    addFault(["groups", "memberOfAttribute"], "has no effect with searchFilter");
  }
  const route = resolveRoute(groups, activeDirectory, addFault);
  if (searchBase === undefined && !activeDirectory && (searchFilter !== undefined || nested)) {
    addFault(
      ["groups", "searchBase"],
      `is required for ${searchFilter === undefined ? "nested groups" : "searchFilter"}`,
    );
  }
  const base = searchBase === undefined || dn === undefined ? undefined : { text: searchBase, rdns: canonicalRDNs(dn) };
  const naming = resolveNaming(options, nameAttribute, dn);
  return route && { route, base, scope, nameAttribute, naming, nested, activeDirectory };
}

/** In a domain of Active Directory no two entries have the same one. */
const ACCOUNT_NAME = "sAMAccountName";

function resolveNaming(options: LdapOptions, nameAttribute: string, base: DN | undefined): Naming {
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
  const message = `nobody can sign in: without ${option} it must be a DN`;
  return [...warnings, { option: "requiredGroup", message }];
}

function resolveRoute(
  { searchFilter, memberOfAttribute }: GroupOptions,
  activeDirectory: boolean,
  addFault: AddFault,
): GroupSettings["route"] | undefined {
  if (searchFilter !== undefined) {
    const filter = compile(searchFilter, ["dn", "username"], ["groups", "searchFilter"], addFault);
    return filter && { kind: "search", filter };
  }
  if (activeDirectory && memberOfAttribute === undefined) return { kind: "token" };
  return { kind: "memberOf", attribute: memberOfAttribute ?? "memberOf" };
}

function compile(
  text: string,
  placeholders: readonly Placeholder[],
  path: Fault["path"],
  addFault: AddFault,
): FilterTemplate | undefined {
  const parsed = parseFilterTemplate(text, placeholders);
  if ("fault" in parsed) return void addFault(path, parsed.fault);
  const named = placeholders.map((placeholder) => `{{${placeholder}}}`).join(" or ");
  if (parsed.used.size === 0) return void addFault(path, `must hold ${named}`);
  // Without anybody in it, the filter must not be true of everybody.
  if (fillTemplate(parsed.template, {}) === true) return void addFault(path, `must require ${named}`);
  return parsed.template;
}

function isDN(text: string): boolean {
  const dn = parseDN(text);
  return dn !== undefined && dn.length > 0;
}

function inMilliseconds(duration: Duration | undefined, byDefault: number): number {
  return timerDelay(duration === undefined ? byDefault : (parseDuration(duration) ?? byDefault));
}

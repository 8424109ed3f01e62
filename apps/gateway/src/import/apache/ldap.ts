import { resolve } from "node:path";
import type { Directive } from "./parse.ts";

type Noting = (directive: Directive, reason: string) => void;

/** The last directive of a name that is in force. */
export type Lookup = (name: string) => Directive | undefined;

/**
 * The backend for `AuthLDAPURL` and the lines around it (Apache's documentation of mod_authnz_ldap).
 *
 * @param groupDNs The groups that rules name.
 * @returns `undefined` where the URL cannot be read.
 */
export function ldapBackend(
  find: Lookup,
  directory: string,
  groupDNs: readonly string[],
  note: Noting,
): Readonly<Record<string, unknown>> | undefined {
  const directive = find("authldapurl");
  const [text = "", mode = ""] = directive?.parameters ?? [];
  const parts = /^(ldaps?):\/\/([^/]*)\/([^?]*)(?:\?([^?]*))?(?:\?([^?]*))?(?:\?(.*))?$/.exec(text);
  if (directive === undefined) return undefined;
  if (parts === null) {
    note(directive, "the URL cannot be read");
    return undefined;
  }
  const [, scheme = "", hosts = "", base = "", attributes = "", scope = "", filter = ""] = parts;
  const secure = scheme === "ldaps" || mode.toUpperCase() === "SSL";
  const startTLS = !secure && /^(?:TLS|STARTTLS)$/i.test(mode);
  const attribute = attributes.split(",")[0] || "uid";
  const ca = find("ldaptrustedglobalcert");
  const bindDN = find("authldapbinddn")?.parameters[0];
  const password = find("authldapbindpassword");
  const [secret] = password?.parameters ?? [];
  const isProgram = secret?.startsWith("exec:") === true;
  if (password !== undefined && isProgram)
    note(password, "the gate starts no program: write the password into bindPasswordFile");
  if (!secure && !startTLS)
    note(directive, "passwords are sent in clear text: use ldaps:// or startTLS, and leave allowCleartext out");
  const verifies = find("ldapverifyservercert");
  if (verifies?.parameters[0]?.toLowerCase() === "off")
    note(verifies, "the gate always verifies the directory's certificate: see caCert");
  return {
    type: "ldap",
    urls: (hosts === "" ? "localhost" : hosts).split(/\s+/).map((host) => `${secure ? "ldaps" : "ldap"}://${host}`),
    ...(startTLS && { startTLS: true }),
    ...(!secure && !startTLS && { allowCleartext: true }),
    ...(ca !== undefined && { caCert: resolve(directory, ca.parameters.at(-1) ?? "") }),
    ...(bindDN !== undefined && { bindDN }),
    ...(bindDN !== undefined &&
      (isProgram || secret === undefined ? { bindPasswordFile: "ldap-password" } : { bindPassword: secret })),
    searchBase: decodeURIComponent(base),
    searchFilter: `(&${enclosed(decodeURIComponent(filter) || "(objectClass=*)")}(${attribute}={{username}}))`,
    ...(scope === "one" && { searchScope: "one" }),
    usernameAttribute: attribute,
    ...(groupDNs.length > 0 && { groups: groupsOf(find, groupDNs) }),
  };
}

function enclosed(filter: string): string {
  return filter.startsWith("(") ? filter : `(${filter})`;
}

/** Apache compares by DN, so that rules name the groups by their DNs too. */
function groupsOf(find: Lookup, groupDNs: readonly string[]): Readonly<Record<string, unknown>> {
  const attribute = find("authldapgroupattribute")?.parameters[0];
  const attributes = attribute === undefined ? ["member", "uniqueMember"] : [attribute];
  const value = find("authldapgroupattributeisdn")?.parameters[0]?.toLowerCase() === "off" ? "{{username}}" : "{{dn}}";
  const filters = attributes.map((name) => `(${name}=${value})`);
  return {
    searchBase: commonParent(groupDNs),
    searchFilter: filters.length === 1 ? filters[0] : `(|${filters.join("")})`,
  };
}

/** The longest DN that all of them are below. */
function commonParent(dns: readonly string[]): string {
  const split = dns.map((dn) => dn.split(/(?<!\\),\s*/).slice(1));
  const [first = [], ...others] = split;
  for (let skip = 0; skip < first.length; skip++) {
    const suffix = first.slice(skip).join(",");
    const isBelow = (parts: readonly string[]): boolean =>
      `,${parts.join(",")}`.toLowerCase().endsWith(`,${suffix.toLowerCase()}`);
    if (others.every(isBelow)) return suffix;
  }
  return first.at(-1) ?? "";
}

import { resolve } from "node:path";
import { ImportError, type Imported, type ImportedRule, type Note, type Source } from "../imported.ts";
import { globsOf, nobodyByAnyMethod, rulesOf } from "../path-rules.ts";
import { carried, mayRestrictOutside, needless, reasons, secret, spelled } from "./directives.ts";
import { type Lookup, ldapBackend } from "./ldap.ts";
import type { Directive } from "./parse.ts";
import { notProxied } from "./proxied.ts";
import { readApache } from "./read-apache.ts";
import { accessOf } from "./requirements.ts";

type Noting = (directive: Directive, reason: string) => void;

const root = "/v2";
const registryPaths = [/^\/$/, /^\/v2\/?$/];

/**
 * Carries a configuration of Apache over: of the virtual host that proxies `/v2`, who may use which method of which paths.
 * What cannot be told takes its rights away.
 *
 * @throws {ImportError} where there is no registry in it, or where it cannot be parsed.
 */
export function importApache(source: Source): Imported {
  const notes: Note[] = [];
  const { directives, directory } = readApache(source, notes);
  const note: Noting = ({ file, line, name, parameters, section }, reason) => {
    const [first = ""] = parameters;
    const text = secret.has(name) ? spelled(name) : `${spelled(name)} ${first}`.trim();
    notes.push({ file, line, text: section === undefined ? text : `<${text}>`, reason });
  };
  const [host, ...others] = hostsOf(directives).filter((candidate) => passOf(candidate.directives) !== undefined);
  const pass = host && passOf(host.directives);
  if (host === undefined || pass === undefined) {
    throw new ImportError(`${source.name}: no virtual host has a ProxyPass for /v2`);
  }
  for (const { directive } of others) if (directive) note(directive, "another host for /v2: import it by itself");

  const sections = sectionsOf(host.directives);
  const base = effective(sections, root);
  // Some lines may only stand in the host itself, such as those of OpenID Connect.
  const find: Lookup = (name) => [...host.directives, ...base].findLast((directive) => directive.name === name);
  const read = accessRules(host.directives, pass, sections, find, note);
  const signOn = isOpenID(find("authtype"));
  const access = signOn ? [] : read.access;
  const backends = backendsOf(find, directory, read.groupDNs, note);
  if (backends.length === 0) {
    throw new ImportError("nobody has to sign in there: the gate needs a way to sign in, such as AuthUserFile");
  }
  reportRest(directives, host.directives, note);
  const realm = find("authname")?.parameters[0];
  return {
    configuration: {
      listen: listenOf(directives, host, directory, note),
      upstream: upstreamOf(host.directives, pass, note),
      auth: { ...(realm !== undefined && { realm }), backends },
      access,
    },
    notes,
    comments: [],
  };
}

interface Host {
  /** The section `<VirtualHost>`; undefined for the main server. */
  readonly directive: Directive | undefined;
  /** What holds for it, that of the main server first. */
  readonly directives: readonly Directive[];
}

function hostsOf(directives: readonly Directive[]): readonly Host[] {
  const main = directives.filter(({ name }) => name !== "virtualhost");
  const hosts = directives.filter(({ name }) => name === "virtualhost");
  const own = hosts.map((directive) => ({ directive, directives: [...main, ...(directive.section ?? [])] }));
  // What the main server proxies, its hosts proxy too.
  return hosts.length === 0 || passOf(main) === undefined ? [...own, { directive: undefined, directives: main }] : own;
}

/** `ProxyPass` for the registry: by a path, or within its `<Location>`. */
function passOf(directives: readonly Directive[]): Directive | undefined {
  const direct = directives.find(
    ({ name, parameters: [path = "", target = ""] }) =>
      name === "proxypass" && registryPaths.some((pattern) => pattern.test(path)) && target !== "!",
  );
  const located = directives
    .filter(
      ({ name, parameters: [path = ""] }) => name === "location" && registryPaths.some((pattern) => pattern.test(path)),
    )
    .flatMap(({ section = [] }) => section.filter(({ name }) => name === "proxypass"));
  return direct ?? located[0];
}

interface PathSection {
  readonly directive: Directive;
  readonly path: string;
  readonly directives: readonly Directive[];
}

/** Sections by path in the order in which Apache merges them: `<Proxy>` before `<Location>`. */
function sectionsOf(directives: readonly Directive[]): readonly PathSection[] {
  const made = (name: string, path: (parameter: string) => string): PathSection[] =>
    directives
      .filter((directive) => directive.name === name && directive.section !== undefined)
      .map((directive) => ({
        directive,
        path: path(directive.parameters[0] ?? ""),
        directives: directive.section ?? [],
      }));
  return [...made("proxy", () => "/"), ...made("location", (parameter) => parameter)];
}

/** The directives in force for a path: of each name, those of the last section that has it. */
function effective(sections: readonly PathSection[], path: string): readonly Directive[] {
  const merged = new Map<string, readonly Directive[]>();
  for (const section of sections) {
    if (!isWithin(path, section.path)) continue;
    const byKind = Map.groupBy(section.directives, kindOf);
    for (const [kind, found] of byKind) merged.set(kind, found);
  }
  return [...merged.values()].flat();
}

/** Lines about who may do what replace those of outer sections together (`AuthMerging Off`). */
function kindOf({ name }: Directive): string {
  const about = [
    "require",
    "requireany",
    "requireall",
    "requirenone",
    "limit",
    "limitexcept",
    "order",
    "allow",
    "deny",
  ];
  return about.includes(name) ? "require" : name;
}

function isWithin(path: string, outer: string): boolean {
  const prefix = outer.replace(/\/$/, "");
  return prefix === "" || path === prefix || path.startsWith(`${prefix}/`);
}

function accessRules(
  host: readonly Directive[],
  pass: Directive,
  sections: readonly PathSection[],
  base: Lookup,
  note: Noting,
): { access: readonly ImportedRule[]; groupDNs: readonly string[] } {
  const inner = sections
    .map(({ path }) => path.replace(/\/$/, ""))
    .filter((path) => isWithin(path, root) && path !== root);
  let doubtful = false;
  const groupDNs = new Set<string>();
  const providers = base("authbasicprovider")?.parameters ?? ["file"];
  // A directory may have a group of the same name.
  const groupFile = base("authgroupfile") !== undefined && providers.every((name) => name.toLowerCase() === "file");
  for (const directive of host) {
    if (!isUnclear(directive)) continue;
    note(directive, "what it is for cannot be told: the rules were left out");
    doubtful = true;
  }
  const paths = [root, ...new Set(inner)].flatMap((path) => {
    const directives = effective(sections, path);
    const found = accessOf(directives, groupFile);
    for (const directive of found.doubts)
      note(directive, "cannot be carried over: what it would open or guard is denied");
    for (const dn of found.groupDNs) groupDNs.add(dn);
    const [guard] = sections.filter((section) => isWithin(path, section.path));
    if (found.unnamed.length > 0 && guard !== undefined) {
      note(guard.directive, `has no Require for ${found.unnamed.join(", ")}: they are denied to everybody`);
    }
    const [own] = sections.filter((section) => section.path.replace(/\/$/, "") === path);
    const prefix = path === root ? "" : path.slice(root.length + 1);
    const differs = ["authuserfile", "authgroupfile", "authldapurl", "authtype", "authbasicprovider"].some((name) => {
      const there = directives.findLast((directive) => directive.name === name);
      return there !== base(name) && there?.parameters.join(" ") !== base(name)?.parameters.join(" ");
    });
    if (globsOf(prefix, true) === undefined || own === undefined) {
      if (path === root) return [{ prefix, access: found.access }];
      if (own !== undefined)
        note(own.directive, "which repositories it is for cannot be told: the rules were left out");
      doubtful = true;
      return [];
    }
    if (!differs) return [{ prefix, access: found.access }];
    note(own.directive, "other users or groups: here they are the same everywhere, so that what is there is denied");
    return [{ prefix, access: nobodyByAnyMethod }];
  });
  const closed = notProxied(host, pass, root).flatMap(({ directive, prefix }) => {
    if (prefix.startsWith("_catalog")) return [];
    note(directive, "not proxied to this registry: what is there is denied to everybody");
    if (globsOf(prefix, true) === undefined) doubtful = true;
    return [{ prefix, access: nobodyByAnyMethod }];
  });
  const open = paths.filter((path) => !closed.some(({ prefix }) => isWithin(path.prefix, prefix)));
  return { access: doubtful ? [] : rulesOf([...open, ...closed], true), groupDNs: [...groupDNs] };
}

/** Whether a section or a line may refuse requests for the registry in a way that is not understood. */
function isUnclear(directive: Directive): boolean {
  const { name, parameters, section } = directive;
  if (name === "proxypassmatch") {
    const [, begin = ""] = /^\^(\/[\w-]*)/.exec(parameters[0] ?? "") ?? [];
    // What follows may make the last sign optional.
    return mayBeginLikeRoot(begin.slice(0, -1));
  }
  if (section === undefined) return mayRestrictOutside(directive);
  const [path = ""] = parameters;
  if (name === "location" && path !== "~") return isPattern(path) && mayBeginLikeRoot(path.split(/[*?[]/)[0] ?? "");
  return ["locationmatch", "if", "proxymatch", "location"].includes(name);
}

/** Whether a path of `<Location>` has wildcards. */
function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/** Whether paths that begin so may be the registry's. */
function mayBeginLikeRoot(text: string): boolean {
  return root.startsWith(text) || text.startsWith(root);
}

type Backend = Readonly<Record<string, unknown>>;

function isOpenID(authType: Directive | undefined): boolean {
  return /openid|oauth20/i.test(authType?.parameters[0] ?? "");
}

function backendsOf(find: Lookup, directory: string, groupDNs: readonly string[], note: Noting): readonly Backend[] {
  const authType = find("authtype");
  if (authType !== undefined && isOpenID(authType)) return [openIDBackend(find, authType, note)];
  if (authType !== undefined && authType.parameters[0]?.toLowerCase() !== "basic") {
    note(authType, "clients of registries sign in by Basic");
    return [];
  }
  const provider = find("authbasicprovider");
  return (provider?.parameters ?? ["file"]).flatMap((name) => {
    if (name.toLowerCase() === "file") {
      const file = find("authuserfile")?.parameters[0];
      const groupFile = find("authgroupfile")?.parameters[0];
      if (file === undefined) return [];
      const groups = groupFile === undefined ? {} : { groupFile: resolve(directory, groupFile) };
      return [{ type: "htpasswd", file: resolve(directory, file), ...groups }];
    }
    if (name.toLowerCase() === "ldap") {
      const backend = ldapBackend(find, directory, groupDNs, note);
      return backend === undefined ? [] : [backend];
    }
    if (provider !== undefined) note(provider, `the provider ${name} has no counterpart: its users cannot sign in`);
    return [];
  });
}

function openIDBackend(find: Lookup, authType: Directive, note: Noting): Backend {
  note(
    authType,
    "docker cannot sign in through a browser: see the backends sso-jwt and sso-header, check the one below, and write access rules",
  );
  const metadata = find("oidcprovidermetadataurl")?.parameters[0];
  const audience = find("oidcclientid")?.parameters[0];
  const usernameClaim = find("oidcremoteuserclaim")?.parameters[0];
  const issuer = metadata?.replace(/\/?\.well-known\/openid-configuration$/, "");
  if (issuer === undefined || audience === undefined) {
    return { type: "sso-header", trustedProxies: ["127.0.0.1"], preset: "mod_auth_openidc" };
  }
  return { type: "sso-jwt", issuer, audience, ...(usernameClaim !== undefined && { usernameClaim }) };
}

function listenOf(
  directives: readonly Directive[],
  { directive, directives: own }: Host,
  directory: string,
  note: Noting,
): Readonly<Record<string, unknown>> {
  const find = (name: string): Directive | undefined => own.findLast((candidate) => candidate.name === name);
  const listens = directives.filter(({ name }) => name === "listen");
  const [vhost] = directive?.parameters ?? [];
  const port = /:(\d+)$/.exec(vhost ?? "")?.[1];
  const chosen =
    listens.find(({ parameters: [text = ""] }) => port !== undefined && text.replace(/^.*:/, "") === port) ??
    listens[0];
  for (const other of listens) if (other !== chosen) note(other, "the gate listens at one address");
  const [address = port ?? "80"] = chosen?.parameters ?? [];
  const secure = /^(?:on|optional)$/i.test(find("sslengine")?.parameters[0] ?? "");
  return {
    address: /^\d+$/.test(address) ? Number(address) : address,
    ...(secure && { tls: tlsOf(find, directory, note) }),
    ...trustedProxies(own, note),
  };
}

function tlsOf(
  find: (name: string) => Directive | undefined,
  directory: string,
  note: Noting,
): Readonly<Record<string, unknown>> {
  const path = (name: string): string | undefined => {
    const text = find(name)?.parameters[0];
    return text === undefined ? undefined : resolve(directory, text);
  };
  const certificate = path("sslcertificatefile") ?? "server.crt";
  const chain = find("sslcertificatechainfile");
  if (chain !== undefined) note(chain, "put the chain into the file of the certificate, behind it");
  const protocols = find("sslprotocol");
  const only13 = protocols !== undefined && /^\+?TLSv1\.3$/i.test(protocols.parameters.join(" "));
  const named = protocols?.parameters.join(" ") ?? "";
  if (protocols !== undefined && !only13 && /(?<![-\w.])\+?(?:SSLv3|TLSv1|TLSv1\.1)(?![.\d])/i.test(named)) {
    note(protocols, "the gate speaks TLS 1.2 and 1.3 alone");
  }
  const verify = find("sslverifyclient");
  const mode = verify?.parameters[0]?.toLowerCase() ?? "none";
  const suites = find("sslciphersuite");
  const [first, ciphers = first] = suites?.parameters ?? [];
  return {
    certificate,
    key: path("sslcertificatekeyfile") ?? certificate,
    ...(protocols !== undefined && { minVersion: only13 ? "TLSv1.3" : "TLSv1.2" }),
    ...(ciphers !== undefined && first !== "TLSv1.3" && { ciphers }),
    ...(mode !== "none" &&
      mode !== "optional_no_ca" && {
        clientCa: path("sslcacertificatefile") ?? "client-ca.crt",
        clientAuth: mode === "require" ? "required" : "optional",
      }),
  };
}

/** mod_remoteip. */
function trustedProxies(directives: readonly Directive[], note: Noting): { trustedProxies?: readonly string[] } {
  const header = directives.findLast(({ name }) => name === "remoteipheader");
  const lines = directives.filter(({ name }) => name === "remoteipinternalproxy" || name === "remoteiptrustedproxy");
  if (lines.length === 0) return {};
  if (header?.parameters[0]?.toLowerCase() === "x-forwarded-for") {
    return { trustedProxies: lines.flatMap(({ parameters }) => parameters) };
  }
  for (const line of lines) note(line, "the gate takes the client's address from X-Forwarded-For or Forwarded");
  return {};
}

function upstreamOf(
  directives: readonly Directive[],
  pass: Directive,
  note: Noting,
): Readonly<Record<string, unknown>> {
  const [first = "", second = first, ...options] = pass.parameters;
  const target = /^https?:/i.test(first) ? first : second;
  const parts = /^(https?):\/\/([^/]+)(\/.*)?$/.exec(target);
  if (parts === null) {
    throw new ImportError(`${pass.file}:${pass.line}: the registry's address cannot be told from ProxyPass ${target}`);
  }
  const [, scheme = "", host = "", path = ""] = parts;
  if (!/^(?:\/|\/v2\/?)?$/.test(path)) note(pass, "the registry's API has to be at /v2/: the path was left out");
  const timeout = [first, second, ...options].flatMap((option) => /^timeout=(\d+)$/.exec(option)?.[1] ?? [])[0];
  const general = directives.findLast(({ name }) => name === "proxytimeout")?.parameters[0];
  const seconds = timeout ?? (/^\d+$/.test(general ?? "") ? general : undefined);
  return { url: `${scheme}://${host}`, ...(seconds !== undefined && { readTimeout: `${seconds}s` }) };
}

/** Notes each directive that nothing was made of. */
function reportRest(all: readonly Directive[], inForce: readonly Directive[], note: Noting): void {
  const visit = (directives: readonly Directive[], within: boolean): void => {
    for (const directive of directives) {
      const { name, parameters, section } = directive;
      const [first = ""] = parameters;
      if (name === "virtualhost") {
        if (section?.some((inner) => inForce.includes(inner)) === true) visit(section, within);
        else note(directive, "another host: import it by itself where it is for a registry");
      } else if (name === "location" && !isWithin(first, root) && !isWithin(root, first)) {
        note(directive, "outside of the registry's API: only /v2 is carried over");
      } else if (name === "directory" || name === "files") {
        if (!within) note(directive, "files are not served");
      } else if (
        name === "proxypass" &&
        !isWithin(first, root) &&
        !registryPaths.some((pattern) => pattern.test(first)) &&
        !/^https?:/i.test(first)
      ) {
        note(directive, "outside of the registry's API: only /v2 is carried over");
      } else if (name === "header" || name === "requestheader") {
        const what = parameters.find((word) => /^[a-z]+(?:-[a-z]+)+$/i.test(word)) ?? "";
        if (!/^(?:docker-distribution-api-version|x-forwarded-\w+|x-real-ip)$/i.test(what)) {
          note(directive, reasons[name] ?? "the gate adds no headers of others");
        }
      } else if (carried.has(name) || needless.has(name)) {
        if (section !== undefined) visit(section, true);
      } else note(directive, reasons[name] ?? "has no counterpart");
    }
  };
  visit(all, false);
}

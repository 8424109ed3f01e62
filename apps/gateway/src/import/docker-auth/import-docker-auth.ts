import { resolve } from "node:path";
import { isMap, isScalar, isSeq, LineCounter, type Node, type YAMLMap } from "yaml";
import { ImportError, type Imported, type Note, type Source } from "../imported.ts";
import { type Accounts, readAccounts } from "./account-set.ts";
import { type AclEntry, allActions, rulesOfAcl } from "./acl-rules.ts";
import { globsOfName } from "./name-globs.ts";
import { readDocument } from "./read-document.ts";

export interface DockerAuthOptions {
  /** The registry, which docker_auth does not name. */
  readonly upstream: string | undefined;
  /** Where the users' password hashes are written. */
  readonly passwordFile: string | undefined;
}

type Noting = (node: unknown, text: string, reason: string) => void;

/** The conditions of an entry that rules have too. Any other one, also of a later version, takes something away. */
const understood = ["account", "type", "name"];
/** What an entry holds. */
const entryKeys = ["match", "actions", "comment"];

/**
 * Carries a configuration of docker_auth over: its users and directory, and its static ACL as far as rules can say the same.
 *
 * @throws {ImportError} where it is not one, or nobody could sign in.
 */
export function importDockerAuth(source: Source, options: DockerAuthOptions): Imported {
  const lines = new LineCounter();
  const root = readDocument(source, lines);
  if (!isMap(root)) throw new ImportError(`${source.name}: not a configuration of docker_auth`);
  const notes: Note[] = [];
  const lineOf = (node: unknown): number => lines.linePos((node as Node | undefined)?.range?.[0] ?? 0).line;
  const note: Noting = (node, text, reason) => void notes.push({ file: source.name, line: lineOf(node), text, reason });

  const users = usersOf(root, note);
  const ldap = ldapBackend(root, source.directory, note);
  const accounts: Accounts = {
    anonymous: users.anonymous,
    names: ldap === undefined && !hasOtherUsers(root) ? users.names : undefined,
  };
  const passwordFile = options.passwordFile ?? "htpasswd";
  const backends = [
    ...(users.entries.length > 0 ? [{ type: "htpasswd", file: passwordFile }] : []),
    ...(ldap === undefined ? [] : [ldap]),
  ];
  if (backends.length === 0)
    throw new ImportError("nobody could sign in: there are neither users with passwords nor ldap_auth");
  if (backends.length === 2) {
    note(
      pairOf(root, "ldap_auth"),
      "ldap_auth",
      "a user of both may sign in by either password; there the entry below users alone counts",
    );
  }
  const acl = rulesOfAcl(aclOf(root, accounts, lineOf, note), accounts);
  for (const { line, reason } of acl.notes) notes.push({ file: source.name, line, text: "acl entry", reason });
  reportRest(root, note);
  const expiration = numberAt(root, ["token", "expiration"]);
  return {
    configuration: {
      listen: listenOf(root, source.directory, note),
      upstream: { url: options.upstream ?? "http://127.0.0.1:5000" },
      auth: {
        challenge: "bearer",
        ...(expiration !== undefined && { token: { ttl: `${expiration}s` } }),
        backends,
      },
      access: acl.rules,
    },
    notes,
    comments: [
      ...(options.upstream === undefined ? ["docker_auth does not name the registry: set upstream.url"] : []),
      "The registry itself must ask for no token any more: remove auth.token from its configuration, and let nobody but the gate reach it.",
    ],
    ...(users.entries.length > 0 && { passwords: users.entries }),
  };
}

interface Users {
  readonly names: readonly string[];
  readonly anonymous: boolean;
  /** Lines of a password file. */
  readonly entries: readonly string[];
}

function usersOf(root: YAMLMap, note: Noting): Users {
  const users = root.get("users");
  const names: string[] = [];
  const entries: string[] = [];
  let anonymous = false;
  for (const { key, value } of isMap(users) ? users.items : []) {
    const name = textOf(key) ?? "";
    const password = isMap(value) ? value.get("password") : undefined;
    if (name === "") anonymous = true;
    else if (typeof password !== "string")
      note(key, `users.${name}`, "has no password, so that any would do: cannot sign in");
    else if (!/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(password))
      note(key, `users.${name}`, "is no bcrypt hash: cannot sign in");
    else if (/[:\u0000-\u001f]/.test(name)) note(key, "users", "a name with a colon cannot sign in by Basic");
    else {
      names.push(name);
      entries.push(`${name}:${password}`);
    }
  }
  return { names, anonymous, entries };
}

/** Accounts of services: whom the ACL's patterns for everybody match is not known then. */
function hasOtherUsers(root: YAMLMap): boolean {
  return root.items.some(({ key }) => /_auth$|_authn$/.test(textOf(key) ?? "") && textOf(key) !== "ldap_auth");
}

function ldapBackend(root: YAMLMap, directory: string, note: Noting): Readonly<Record<string, unknown>> | undefined {
  const section = root.get("ldap_auth");
  if (!isMap(section)) return undefined;
  const text = (name: string): string | undefined => {
    const value = section.get(name);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const tls =
    text("tls") ??
    ({ simple_tls: "always", starttls: "starttls" } as Record<string, string>)[text("method") ?? ""] ??
    "none";
  const filter = text("filter")?.replaceAll("${account}", "{{username}}");
  const attribute = /\(([A-Za-z][\w.-]*)=\{\{username\}\}\)/.exec(filter ?? "")?.[1];
  const at = pairOf(root, "ldap_auth");
  if (section.get("insecure_tls_skip_verify") === true) {
    note(at, "insecure_tls_skip_verify", "the gate always verifies the directory's certificate: see caCert");
  }
  if (section.has("labels"))
    note(at, "labels", "groups are read by groups of the backend, and named group:NAME in rules");
  if (tls === "none")
    note(at, "ldap_auth", "passwords are sent in clear text: use ldaps:// or startTLS, and leave allowCleartext out");
  const caCert = text("ca_certificate");
  const bindDN = text("bind_dn");
  const passwordFile = text("bind_password_file");
  return {
    type: "ldap",
    urls: [`${tls === "always" ? "ldaps" : "ldap"}://${text("addr") ?? "localhost"}`],
    ...(tls === "starttls" && { startTLS: true }),
    ...(tls === "none" && { allowCleartext: true }),
    ...(caCert !== undefined && { caCert: resolve(directory, caCert) }),
    ...(bindDN !== undefined && { bindDN }),
    ...(bindDN !== undefined && passwordFile !== undefined && { bindPasswordFile: resolve(directory, passwordFile) }),
    searchBase: text("base") ?? "",
    ...(filter !== undefined && { searchFilter: filter }),
    ...(attribute !== undefined && { usernameAttribute: attribute }),
  };
}

function aclOf(
  root: YAMLMap,
  accounts: Accounts,
  lineOf: (node: unknown) => number,
  note: Noting,
): readonly AclEntry[] {
  const list = root.get("acl");
  return (isSeq(list) ? list.items : []).flatMap((item): AclEntry[] => {
    const match = isMap(item) ? item.get("match", true) : undefined;
    const given = isScalar(match) && match.value === null ? undefined : match;
    if (!isMap(item) || (given !== undefined && !isMap(given))) {
      throw new ImportError(`line ${lineOf(item)}: an entry of acl has match and actions`);
    }
    const text = (name: string): string | undefined => {
      const value = isMap(match) ? match.get(name, true) : undefined;
      if (value === undefined || (isScalar(value) && value.value === null)) return undefined;
      const found = textOf(value);
      if (found === undefined) throw new ImportError(`line ${lineOf(item)}: match.${name} must be text`);
      return found;
    };
    const type = text("type");
    if (type !== undefined && !["repository", "*", "/.*/", "/.+/"].includes(type) && /^[a-z]+$/.test(type)) {
      note(item, "acl entry", "the gate lists to everybody the repositories that they may pull, and no others");
      return [];
    }
    const set = readAccounts(text("account"), accounts);
    const names = globsOfName(text("name"));
    const condition = [...keysOf(match, understood), ...keysOf(item, entryKeys)][0];
    const actions = actionsIn(item.get("actions"));
    const unclear =
      condition !== undefined
        ? `rules do not look at ${condition}: left out`
        : set === undefined
          ? `no subject says the same as the account ${text("account")}: left out`
          : names === undefined
            ? `no glob says the same as the name ${text("name")}: left out`
            : type !== undefined && type !== "repository" && !/^(?:\*|\/\.[*+]\/)$/.test(type)
              ? "the type is a pattern: left out"
              : undefined;
    return [
      {
        line: lineOf(item),
        accounts: set ?? { kind: "everybody" },
        names: names ?? ["**"],
        actions,
        ...(unclear !== undefined && { unclear }),
      },
    ];
  });
}

/** The keys of a map besides those that are known. */
function keysOf(map: unknown, known: readonly string[]): readonly string[] {
  return (isMap(map) ? map.items : []).map(({ key }) => textOf(key) ?? "").filter((key) => !known.includes(key));
}

function actionsIn(value: unknown): readonly string[] {
  const actions = isSeq(value) ? value.items.map((item) => textOf(item) ?? "") : [];
  if (actions.length === 1 && actions[0] === "*") return allActions;
  return allActions.filter((action) => actions.includes(action));
}

function listenOf(root: YAMLMap, directory: string, note: Noting): Readonly<Record<string, unknown>> {
  const server = root.get("server");
  const text = (name: string): string | undefined => {
    const value = isMap(server) ? server.get(name) : undefined;
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const address = text("addr") ?? ":5001";
  const certificate = text("certificate");
  const key = text("key");
  for (const { key: name } of isMap(server) ? server.items : []) {
    const called = textOf(name) ?? "";
    if (["addr", "net", "certificate", "key", "path_prefix"].includes(called)) continue;
    note(name, `server.${called}`, "has no counterpart: see listen");
  }
  return {
    address: /^:\d+$/.test(address) ? Number(address.slice(1)) : address.startsWith("/") ? `unix:${address}` : address,
    ...(certificate !== undefined &&
      key !== undefined && { tls: { certificate: resolve(directory, certificate), key: resolve(directory, key) } }),
  };
}

const carried = ["server", "users", "ldap_auth", "acl"];

function reportRest(root: YAMLMap, note: Noting): void {
  for (const { key, value } of root.items) {
    const name = textOf(key) ?? "";
    if (name === "token" && isMap(value)) {
      for (const { key: inner } of value.items) {
        const called = textOf(inner) ?? "";
        if (called !== "expiration")
          note(inner, `token.${called}`, "the gate verifies its own tokens: see auth.token and keys");
      }
    } else if (!carried.includes(name)) {
      const reason = /auth$|authn$/.test(name)
        ? "its users cannot sign in: see the backends sso-jwt and access-token"
        : "left out, with whatever it allows";
      note(key, name, reason);
    }
  }
}

function pairOf(root: YAMLMap, name: string): unknown {
  return root.items.find(({ key }) => textOf(key) === name)?.key;
}

function numberAt(root: YAMLMap, path: readonly string[]): number | undefined {
  const value = root.getIn(path);
  return typeof value === "number" && value > 0 ? value : undefined;
}

/** As it is written: `007` is the name of a user there, and not that of 7. */
function textOf(node: unknown): string | undefined {
  if (!isScalar(node)) return undefined;
  return typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
}

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatFault } from "@registry-gate/auth";
import { silentLog } from "@registry-gate/auth-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadGate } from "../src/gate/load-gate.ts";
import { warningsOf as warningsOfGate } from "../src/warnings/warnings.ts";

/** What `check` knows of rules that surely were not meant so, with the users and groups of the files. */

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "check-rules-"));
  const hash = `{SHA}${"a".repeat(27)}=`;
  await writeFile(
    join(directory, "htpasswd"),
    ["alice", "ci", "robot", "Bob"].map((user) => `${user}:${hash}\n`).join(""),
  );
  await writeFile(join(directory, "groups"), "pushers: alice robot\nreaders: alice robot ci\nrobots: robot\n");
});

afterAll(() => rm(directory, { recursive: true, force: true }));

interface Rule {
  readonly effect?: "allow" | "deny";
  readonly subjects: readonly unknown[];
  readonly repositories?: readonly string[];
  readonly actions?: readonly string[];
}

const files = { type: "htpasswd", file: "htpasswd", groupFile: "groups" };
const ldap = {
  type: "ldap",
  urls: ["ldaps://127.0.0.1"],
  searchBase: "dc=example,dc=com",
  groups: { searchBase: "dc=example,dc=com" },
};
const jwt = { type: "sso-jwt", jwks: "https://127.0.0.1/jwks", issuer: "i", audience: "a" };
const header = { type: "sso-header", trustedProxies: ["127.0.0.1"] };

let number = 0;

/** What `check` warns of. */
async function warningsOf(rules: readonly Rule[], ...backends: object[]): Promise<readonly string[]> {
  const access = rules.map((rule) => ({ repositories: ["**"], actions: ["pull"], ...rule }));
  const auth = { backends: backends.length === 0 ? [files] : backends };
  const whole = { listen: { address: "127.0.0.1:0" }, upstream: { url: "http://127.0.0.1:1" }, auth, access };
  return warningsIn(JSON.stringify(whole));
}

async function warningsIn(content: string): Promise<readonly string[]> {
  const file = join(directory, `gate-${++number}.yaml`);
  await writeFile(file, content);
  const { gate } = await loadGate(file, () => ({ log: silentLog, onRequest: () => {} }));
  try {
    return (await warningsOfGate(gate)).map(formatFault);
  } finally {
    await gate.retire();
  }
}

describe("push without pull", () => {
  const pull = { subjects: ["authenticated"] };
  const push = (subject: string, ...repositories: string[]): Rule => ({
    subjects: [subject],
    actions: ["push"],
    ...(repositories.length > 0 && { repositories }),
  });
  const warning = (index: number, subject: string): string =>
    `access[${index}].actions: allows push without pull to ${subject}: ` +
    "docker, crane and skopeo check for existing content before they push, and fail; add pull";

  test.each<[string, readonly Rule[], number, string]>([
    ["for a group", [push("group:pushers")], 0, "group:pushers"],
    ["for a user", [push("user:ci")], 0, "user:ci"],
    ["for everybody who is signed in", [push("authenticated")], 0, "authenticated"],
    ["where others may pull", [{ subjects: ["group:readers"] }, push("user:Bob")], 1, "user:Bob"],
    [
      "where pull is allowed elsewhere",
      [{ ...pull, repositories: ["public/**"] }, push("user:ci", "team/**")],
      1,
      "user:ci",
    ],
    [
      "where pull is taken away",
      [{ ...pull, repositories: ["**", "!team/**"] }, push("user:ci", "team/*")],
      1,
      "user:ci",
    ],
    ["where pull is denied", [pull, push("user:ci"), { effect: "deny", subjects: ["user:ci"] }], 1, "user:ci"],
    ["of one's own repositories", [push("user:ci", "${username}/**")], 0, "user:ci"],
  ])("is warned of: %s", async (_, rules, index, subject) => {
    expect(await warningsOf(rules)).toEqual([warning(index, subject)]);
  });

  test.each<[string, readonly Rule[]]>([
    ["where another rule lets everybody pull", [pull, push("group:pushers", "team/**")]],
    ["where all members of the group may pull by another", [{ subjects: ["group:readers"] }, push("group:pushers")]],
    ["where the user may pull by a group", [{ subjects: ["group:readers"] }, push("user:ci", "team/app")]],
    ["where pull reaches further", [{ ...pull, repositories: ["team/**"] }, push("user:ci", "team/app/*")]],
    ["where the rule has all actions", [{ subjects: ["user:ci"], actions: ["*"] }]],
    ["where the rule denies", [pull, { effect: "deny", subjects: ["user:ci"], actions: ["push"] }, push("user:ci")]],
  ])("is no matter: %s", async (_, rules) => {
    expect(await warningsOf(rules)).toEqual([]);
  });

  test("does not warn of a user who may be in any group of a directory", async () => {
    const rules = [{ subjects: ["group:readers"] }, push("user:nobody-knows")];
    expect(await warningsOf(rules, ldap)).toEqual([]);
    expect(await warningsOf([push("user:nobody-knows")], ldap)).toEqual([warning(0, "user:nobody-knows")]);
  });
});

describe("a name that nobody has", () => {
  test.each([
    ["user:carol", "can never match: no password file has the user carol"],
    ["user:alicee", "can never match: no password file has the user alicee; did you mean alice?"],
    ["user:Alice", "can never match: no password file has Alice, but alice, which differs only in case"],
    ["group:pusher", "can never match: no group file has the group pusher; did you mean pushers?"],
    ["group:Pushers", "can never match: no group file has Pushers, but pushers, which differs only in case"],
    ["user:*", "can never match: in a name, * stands for itself; authenticated means every signed-in user"],
    ["group:team-*", "can never match: in a name, * stands for itself; name each group"],
    ["user:alice ", "can never match: a space follows the name; write user:alice"],
    ["group: pushers", "can never match: a space precedes the name; write group:pushers"],
    ["user: ", "can never match: the name of the user is missing"],
    ["group:push\u200bers", "can never match: the name holds an invisible character"],
  ])("is warned of: %j", async (subject, message) => {
    expect(await warningsOf([{ subjects: ["authenticated", subject] }])).toEqual([`access[0].subjects[1]: ${message}`]);
    const denial: Rule = { effect: "deny", subjects: [subject] };
    expect(await warningsOf([{ subjects: ["authenticated"] }, denial])).toEqual([`access[1].subjects[0]: ${message}`]);
  });

  test("accepts an unknown name if not all backends are files", async () => {
    const subjects = ["user:carol", "user:Alice", "group:pusher"];
    expect(await warningsOf([{ subjects }], files, jwt)).toEqual([]);
    expect(await warningsOf([{ subjects: ["user:*", "group: pushers"] }], files, ldap)).toEqual([
      "access[0].subjects[0]: can never match: in a name, * stands for itself; authenticated means every signed-in user",
      "access[0].subjects[1]: matches only groups of a directory: a space precedes the name; write group:pushers",
    ]);
  });

  test("is no group's where no backend knows groups", async () => {
    const { groupFile: _, ...alone } = files;
    expect(await warningsOf([{ subjects: ["user:alice", "group:pushers"] }], alone)).toEqual([
      "access[0].subjects[1]: can never match: no backend provides groups",
    ]);
  });

  test("may be in any of several files", async () => {
    await writeFile(join(directory, "others"), `carol:{SHA}${"a".repeat(27)}=\n`);
    const others = { type: "htpasswd", file: "others" };
    expect(await warningsOf([{ subjects: ["user:carol", "group:pushers"] }], others, files)).toEqual([]);
  });

  test("written as a map is a fault that says how to write it", async () => {
    const configuration = `listen: { address: "127.0.0.1:0" }
upstream: { url: "http://127.0.0.1:1" }
auth: { backends: [{ type: htpasswd, file: htpasswd }] }
access:
  - { subjects: [group: pushers], repositories: ["**"], actions: [pull] }
`;
    await expect(warningsIn(configuration)).rejects.toThrow(
      "access[0].subjects[0]: must be text: write group:NAME without a space, in quotes",
    );
  });
});

describe("${username} that can never match", () => {
  const own: Rule = { subjects: ["authenticated"], repositories: ["public/**", "${username}/**"] };
  const at = "access[0].repositories[1]: ";
  const email = "the names are e-mail addresses, and a repository's name holds no @";
  const path = "the names are paths of projects, which have more than one segment";
  const claims = { requiredClaims: { repository_owner: "octo", namespace_path: "acme" }, audience: "a" };

  test.each<[string, object, string]>([
    ["GitHub", { type: "sso-jwt", preset: "github-actions", ...claims }, path],
    ["GitLab", { type: "sso-jwt", preset: "gitlab", ...claims }, path],
    [
      "Cloudflare",
      { type: "sso-jwt", preset: "cloudflare-access", issuer: "https://a.cloudflareaccess.com", audience: "a" },
      email,
    ],
    ["a claim with an address", { ...jwt, usernameClaim: "user.email" }, email],
    [
      "a prefix",
      { ...jwt, usernamePrefix: "ci:" },
      "the names begin with ci:, which no part of a repository's name does",
    ],
    [
      "a prefix with capitals",
      { ...jwt, usernamePrefix: "Job-" },
      "the names begin with Job-, which no part of a repository's name does",
    ],
    ["a header of Google", { ...header, preset: "google-iap" }, email],
    ["a header with an address", { ...header, userHeader: "X-Forwarded-Email" }, email],
    ["an attribute with an address", { ...ldap, usernameAttribute: "mail" }, email],
  ])("is warned of: %s", async (_, backend, reason) => {
    expect(await warningsOf([own], backend)).toEqual([`${at}can never match: of auth.backends[0] ${reason}`]);
  });

  test("is not warned of where a prefix with capitals is written in lower case", async () => {
    expect(await warningsOf([own], { ...jwt, usernamePrefix: "Job-", usernameCase: "lower" })).toEqual([]);
  });

  test("warns of the one backend whose names never fit", async () => {
    const mail = { ...ldap, usernameAttribute: "mail" };
    expect(await warningsOf([own], jwt, mail)).toEqual([`${at}matches no user: of auth.backends[1] ${email}`]);
  });

  test("lists the users of a file whose names do not fit", async () => {
    expect(await warningsOf([own])).toEqual([
      `${at}does not match every user: of auth.backends[0] ` +
        "${username} stands for a path segment of a repository's name, which Bob cannot be",
    ]);
    const hash = `{SHA}${"a".repeat(27)}=`;
    const users = ["Bob", "x@example.com", "-y", "a..b", "ok/no"].map((user) => `${user}:${hash}\n`).join("");
    await writeFile(join(directory, "unfit"), users);
    expect(await warningsOf([own], { type: "htpasswd", file: "unfit" })).toEqual([
      `${at}can never match: of auth.backends[0] ` +
        "${username} stands for a path segment of a repository's name, which Bob, x@example.com, -y and 2 more cannot be",
    ]);
  });

  test("warns of users named by the rule whose names do not fit", async () => {
    const personal = { ...own, subjects: ["user:Bob"] };
    expect(await warningsOf([personal])).toEqual([
      `${at}can never match: \${username} stands for a path segment of a repository's name, which Bob cannot be`,
    ]);
    expect(await warningsOf([{ ...own, subjects: ["user:alice"] }])).toEqual([]);
  });

  test.each<[string, object]>([
    ["a directory's own names", ldap],
    ["a claim of any kind", { ...jwt, usernameClaim: "preferred_username", usernamePrefix: "ci-" }],
    ["a preset with another claim", { type: "sso-jwt", preset: "gitlab", ...claims, usernameClaim: "user_login" }],
    ["a header of any kind", { ...header, userHeader: "Remote-User" }],
  ])("does not warn of %s", async (_, backend) => {
    expect(await warningsOf([own], backend)).toEqual([]);
  });
});

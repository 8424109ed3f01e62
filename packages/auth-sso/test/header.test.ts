import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { AuthBackend, AuthResult } from "@registry-gate/auth";
import { type HeaderPreset, type SsoHeaderOptions, ssoHeaderBackend, ssoHeaderPlugin } from "@registry-gate/auth-sso";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { type Asked, ask, basic, onTheWire } from "./fixtures.ts";

const proxy = { address: "10.1.0.7", unixSocket: false };
const ABSTAINED = { status: "abstained" };

async function open(options: Partial<SsoHeaderOptions> = {}): Promise<AuthBackend> {
  const backend = await ssoHeaderBackend(
    {
      trustedProxies: ["10.1.0.0/16"],
      userHeader: "X-Forwarded-User",
      groupsHeader: "X-Forwarded-Groups",
      groupsSeparator: ";",
      emailHeader: "X-Forwarded-Email",
      nameHeader: "X-Forwarded-Name",
      ...options,
    },
    { id: "portal" },
  );
  onTestFinished(() => backend.close?.());
  return backend;
}

const withUser = (value: string | readonly string[]): Asked => ({ headers: { "X-Forwarded-User": value } });

async function groupsOf(backend: AuthBackend, value: string): Promise<readonly string[] | AuthResult> {
  const result = await ask(backend, { headers: { "X-Forwarded-User": "alice", "X-Forwarded-Groups": value } });
  return result.status === "authenticated" ? result.identity.groups : result;
}

test("a trusted proxy names the user, the groups, the e-mail address and the display name", async () => {
  const backend = await open();
  expect(
    await ask(backend, {
      peer: proxy,
      headers: {
        "X-Forwarded-User": "alice",
        "X-Forwarded-Groups": "pushers; staff",
        "X-Forwarded-Email": "alice@example.com",
        "X-Forwarded-Name": onTheWire("Zoë Müller"),
      },
    }),
  ).toEqual({
    status: "authenticated",
    identity: {
      subject: "alice",
      username: "alice",
      groups: ["pushers", "staff"],
      backend: "portal",
      claims: { email: "alice@example.com", name: "Zoë Müller" },
    },
  });
  expect(await ask(backend, withUser("bob"))).toEqual({
    status: "authenticated",
    identity: { subject: "bob", username: "bob", groups: [], backend: "portal" },
  });
  await backend.check?.(new AbortController().signal);
});

test("it abstains without the user header, whatever other headers there are", async () => {
  const backend = await open();
  expect(await ask(backend, {})).toEqual(ABSTAINED);
  expect(await ask(backend, { headers: { "X-Forwarded-Groups": "pushers" } })).toEqual(ABSTAINED);
  expect(await ask(backend, { credentials: basic("alice") })).toEqual(ABSTAINED);
  expect(await ask(backend, { credentials: { scheme: "bearer", token: "t" } })).toEqual(ABSTAINED);
});

test("all headers that it reads are declared, so that none of them travels on", async () => {
  const backend = await open({ sharedSecret: { header: "X-Gate-Secret", value: "0123456789abcdef" } });
  expect(backend.credentialHeaders).toEqual([
    "x-forwarded-user",
    "x-forwarded-groups",
    "x-forwarded-email",
    "x-forwarded-name",
    "x-gate-secret",
  ]);
});

test.each([
  ["another network", { address: "10.2.0.7", unixSocket: false }],
  ["the machine itself", { address: "127.0.0.1", unixSocket: false }],
  ["IPv6", { address: "2001:db8::1", unixSocket: false }],
  ["an IPv6 address that ends like the proxy's", { address: "::a01:7", unixSocket: false }],
  ["a Unix socket", { address: undefined, unixSocket: true }],
  ["a connection that has gone", { address: undefined, unixSocket: false }],
  ["something that is no address", { address: "10.1.0.7.example.com", unixSocket: false }],
])("a peer on %s names nobody, and its headers are not even read", async (_, peer) => {
  const backend = await open();
  expect(
    await backend.authenticate({
      credentials: undefined,
      peer,
      client: undefined,
      header: (name) => {
        throw new Error(`${name} was read`);
      },
      signal: new AbortController().signal,
    }),
  ).toEqual(ABSTAINED);
});

test("logs an untrusted peer once, at debug", async () => {
  const { log, lines } = recordingLog();
  const backend = await ssoHeaderBackend({ trustedProxies: ["10.1.0.0/16"], userHeader: "X-User" }, { log });
  for (const address of ["192.0.2.1", "192.0.2.2"]) {
    await ask(backend, { peer: { address, unixSocket: false }, headers: { "X-User": "alice" } });
  }
  expect(lines).toEqual([expect.objectContaining({ level: "debug", fields: { peer: "192.0.2.1" } })]);
});

test.each([
  ["a single address", "10.1.0.7", proxy],
  ["a CIDR block", "10.0.0.0/8", proxy],
  ["a block of IPv6", "fd00::/8", { address: "fd12::7", unixSocket: false }],
  ["one address of IPv6 in another spelling", "2001:DB8:0:0::1", { address: "2001:db8::1", unixSocket: false }],
  ["a link-local address with its zone", "fe80::/10", { address: "fe80::1%eth0", unixSocket: false }],
  ["an IPv4-mapped address", "::ffff:10.1.0.7", proxy],
  ["an IPv4-mapped block", "::ffff:10.1.0.0/112", proxy],
  ["an IPv4-mapped address in hexadecimal", "::ffff:0a01:7", proxy],
  ["an IPv4-mapped block in hexadecimal", "::ffff:a01:0/112", proxy],
  ["a peer that is written as mapped", "10.1.0.7", { address: "::ffff:10.1.0.7", unixSocket: false }],
  ["a Unix socket", "unix:", { address: undefined, unixSocket: true }],
])("%s can be trusted", async (_, entry, peer) => {
  const backend = await open({ trustedProxies: ["192.0.2.1", entry] });
  expect(await ask(backend, { ...withUser("alice"), peer })).toMatchObject({ status: "authenticated" });
});

test("a wide block of IPv6 does not let IPv4 in", async () => {
  const backend = await open({ trustedProxies: ["::/8"] });
  expect(await ask(backend, withUser("alice"))).toEqual(ABSTAINED);
});

test("with trustAnyPeer everybody may name users, and the log warns of it", async () => {
  const { log, lines } = recordingLog();
  const options = { trustedProxies: ["0.0.0.0/0", "::/0"], trustAnyPeer: true, userHeader: "X-User" };
  const backend = await ssoHeaderBackend(options, { log });
  for (const address of ["203.0.113.9", "2001:db8::1"]) {
    const peer = { address, unixSocket: false };
    expect(await ask(backend, { peer, headers: { "X-User": "alice" } })).toMatchObject({ status: "authenticated" });
  }
  expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1);
});

test.each([
  ["occurs more than once", ["alice", "bob"], "the user header occurs more than once"],
  ["occurs more than once with the same name", ["alice", "alice"], "the user header occurs more than once"],
  ["was joined from two", "boss, alice", "the user header holds several names"],
  ["is empty", "", "the user header is empty"],
  ["is what Apache writes for nobody", "(null)", "the user header is (null): the proxy knows no user"],
  ["holds a tab", "al\tice", "the user header holds a control character"],
  ["holds a NUL", "alice\0", "the user header holds a control character"],
  ["holds a C1 control", onTheWire("alice\u0085"), "the user header holds a control character"],
  ["holds a line separator", onTheWire("al\u2028ice"), "the user header holds a control character"],
  ["holds a zero-width space", onTheWire("alice\u200b"), "the user header holds an invisible character"],
  ["begins with a byte order mark", onTheWire("\ufeffalice"), "the user header holds an invisible character"],
  ["turns the direction of writing", onTheWire("\u202eecila"), "the user header holds an invisible character"],
  ["ends with a no-break space", onTheWire("alice\u00a0"), "the user header has white space at an end"],
  ["is Latin-1", "zo\u00e9", "the user header is not UTF-8"],
  ["is overlong UTF-8", "\u00c1\u0081lice", "the user header is not UTF-8"],
  ["is a surrogate in UTF-8", "\u00ed\u00a0\u0080", "the user header is not UTF-8"],
  ["did not come from a wire", "alic\u0113", "the user header is not a header's value"],
  ["is over-long", "a".repeat(513), "the user header is longer than 512 characters"],
  ["is huge", "a".repeat(100_000), "the user header is longer than 16384 bytes"],
])("a user header that %s is rejected", async (_, value, reason) => {
  expect(await ask(await open(), withUser(value))).toEqual({ status: "rejected", reason });
});

test("a name in another form of Unicode is the same name", async () => {
  const backend = await open();
  expect(await ask(backend, withUser(onTheWire("zo\u0065\u0301")))).toMatchObject({
    identity: { username: "zo\u00e9" },
  });
});

test("names of the object prototype are names like any other", async () => {
  const backend = await open();
  for (const name of ["__proto__", "constructor"]) {
    expect(await ask(backend, withUser(name))).toMatchObject({ identity: { username: name } });
  }
});

test.each([
  [";", "a, b ;c", ["a, b", "c"]],
  [";", " a ;; b;a;", ["a", "b"]],
  [",", "Doe, John", ["Doe", "John"]],
  ["|", "a|b", ["a", "b"]],
  [" ", "a  b", ["a", "b"]],
  ["::", "a::b:c", ["a", "b:c"]],
  ["none", "a, b; c", ["a, b; c"]],
  ["json", '["a, b", "c;d", "c;d", " "]', ["a, b", "c;d"]],
  ["json", "[]", []],
  ["json", "", []],
  [",", "", []],
  ["none", "", []],
  [",", onTheWire("zo\u0065\u0301,zo\u00e9"), ["zo\u00e9"]],
])("with the separator %j, %j are the groups %j", async (groupsSeparator, value, groups) => {
  expect(await groupsOf(await open({ groupsSeparator }), value)).toEqual(groups);
});

test.each([
  ["json", "a, b", "is not a JSON array of strings"],
  ["json", '"a"', "is not a JSON array of strings"],
  ["json", '{"length": 1}', "is not a JSON array of strings"],
  ["json", '["\u00ff"]', "is not UTF-8"],
  [";", ";".repeat(65_537), "is longer than 65536 bytes"],
])(
  "with the separator %j, a groups header that cannot be read as a whole is rejected",
  async (groupsSeparator, value, reason) => {
    expect(await groupsOf(await open({ groupsSeparator }), value)).toEqual({
      status: "rejected",
      reason: `the groups header ${reason}`,
    });
  },
);

const many = Array.from({ length: 1001 }, (_, n) => `g${n}`);

test.each<[string, string, readonly string[], readonly string[], string]>([
  [";", "a;b\tc", ["a"], ["b\tc", "bc"], "holds a control character"],
  // As Latin-1 it is a name that a rule may deny.
  [";", "a;m\u00fcller;b", ["a", "b"], ["m\u00fcller"], "is not UTF-8"],
  [";", `a;${onTheWire("admins\u200b")}`, ["a"], ["admins\u200b", "admins"], "holds an invisible character"],
  [";", `a;${"b".repeat(513)}`, ["a"], ["b".repeat(513)], "is longer than 512 characters"],
  [";", many.join(";"), many.slice(0, 1000), many.slice(1000), "is beyond the first 1000"],
  ["none", "a\tb", [], ["a\tb", "ab"], "holds a control character"],
  ["json", '["a", 1]', ["a"], ["1"], "is a number"],
  ["json", '["a", null]', ["a"], [], "is not a string"],
  ["json", '["a\\u0000"]', [], ["a\u0000", "a"], "holds a control character"],
  ["json", '["\\ud800", "a"]', ["a"], [], "is not well-formed Unicode"],
])(
  "with the separator %j, of the groups header %j a group that no rule can name is skipped, with one warning",
  async (groupsSeparator, value, groups, ambiguous, reason) => {
    const { log, lines } = recordingLog();
    const options = {
      trustedProxies: ["10.1.0.0/16"],
      userHeader: "X-User",
      groupsHeader: "X-Groups",
      groupsSeparator,
    };
    const backend = await ssoHeaderBackend(options, { log });
    const identity = ambiguous.length === 0 ? { groups } : { groups, ambiguousGroups: ambiguous };
    for (const name of ["alice", "bob"]) {
      expect(await ask(backend, { headers: { "X-User": name, "X-Groups": value } })).toMatchObject({
        status: "authenticated",
        identity: { username: name, ...identity },
      });
    }
    expect(lines).toEqual([
      { level: "warn", fields: { header: "x-groups", reason }, message: `skipped a group that ${reason}` },
    ]);
  },
);

test("a second groups header is rejected: which of the two counts is ambiguous", async () => {
  const headers = { "X-Forwarded-User": "alice", "X-Forwarded-Groups": ["a", "b"] };
  expect(await ask(await open(), { headers })).toEqual({
    status: "rejected",
    reason: "the groups header occurs more than once",
  });
});

test.each<[string, string | readonly string[]]>([
  ["occurs more than once", ["a", "b"]],
  ["is not UTF-8", "zo\u00eb"],
  ["holds a control character", "a\tb"],
  ["is longer than 512 characters", "a".repeat(513)],
])("an e-mail address or a display name that %s is left out, and told once", async (reason, value) => {
  const { log, lines } = recordingLog();
  const backend = await ssoHeaderBackend(
    { trustedProxies: ["10.1.0.0/16"], userHeader: "X-User", emailHeader: "X-Email", nameHeader: "X-Name" },
    { log },
  );
  for (const name of ["alice", "bob"]) {
    expect(await ask(backend, { headers: { "X-User": name, "X-Email": value, "X-Name": "A" } })).toMatchObject({
      status: "authenticated",
      identity: { username: name, claims: { name: "A" } },
    });
  }
  expect(lines).toMatchObject([{ level: "warn", fields: { header: "x-email", reason } }]);
});

test("look-alikes of the user header name nobody", async () => {
  const backend = await open();
  for (const name of [
    "X_Forwarded_User",
    "X-Forwarded_User",
    "X.Forwarded.User",
    "X-Forwarded-User ",
    "Forwarded-User",
  ]) {
    expect(await ask(backend, { headers: { [name]: "boss" } })).toEqual(ABSTAINED);
    expect(await ask(backend, { headers: { "X-Forwarded-User": "alice", [name]: "boss" } })).toMatchObject({
      identity: { username: "alice" },
    });
  }
});

test("a Basic login must name the same user as the header", async () => {
  const backend = await open();
  const named = (header: string, username: string) =>
    ask(backend, { ...withUser(header), credentials: basic(username) });
  expect(await named("alice", "alice")).toMatchObject({ identity: { username: "alice" } });
  expect(await named(onTheWire("zo\u00e9"), "zo\u0065\u0301")).toMatchObject({ status: "authenticated" });
  for (const other of ["bob", "Alice", "alice "]) {
    expect(await named("alice", other)).toEqual({
      status: "conflicting",
      reason: "the header and the Basic login name two different users",
    });
  }
});

test("of a name in every text, what comes out is the text or a rejection, never another text", async () => {
  const backend = await open();
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 40 }), async (text) => {
      const result = await ask(backend, withUser(onTheWire(text)));
      if (result.status === "authenticated") expect(result.identity.username).toBe(text.normalize("NFC"));
      else expect(result.status).toBe("rejected");
    }),
    { numRuns: 500 },
  );
});

test("of a list of groups, each comes out as it went in", async () => {
  const group = fc.stringMatching(/^[a-zA-Z0-9,éß_.-]{1,20}$/).map((text) => text.normalize("NFC"));
  const semicolons = await open();
  const json = await open({ groupsSeparator: "json" });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(group, { minLength: 1, maxLength: 30 }), async (groups) => {
      expect(await groupsOf(semicolons, onTheWire(groups.join(" ; ")))).toEqual(groups);
      expect(await groupsOf(json, onTheWire(JSON.stringify(groups)))).toEqual(groups);
    }),
  );
});

const presetRequests: readonly [HeaderPreset, Record<string, string>, object][] = [
  [
    "oauth2-proxy",
    { "X-Forwarded-User": "alice", "X-Forwarded-Groups": "a,b", "X-Forwarded-Email": "a@example.com" },
    { username: "alice", groups: ["a", "b"], claims: { email: "a@example.com" } },
  ],
  [
    "authelia",
    { "Remote-User": "alice", "Remote-Groups": "a,b", "Remote-Email": "a@example.com", "Remote-Name": "Alice A" },
    { username: "alice", groups: ["a", "b"], claims: { email: "a@example.com", name: "Alice A" } },
  ],
  [
    "authentik",
    { "X-authentik-username": "alice", "X-authentik-groups": "a, b|c", "X-authentik-name": "Alice A" },
    { username: "alice", groups: ["a, b", "c"], claims: { name: "Alice A" } },
  ],
  ["traefik-forward-auth", { "X-Forwarded-User": "alice@example.com" }, { username: "alice@example.com", groups: [] }],
  [
    "mod_auth_openidc",
    { OIDC_CLAIM_preferred_username: "alice", OIDC_CLAIM_groups: "a,b", OIDC_CLAIM_name: "Alice A" },
    { username: "alice", groups: ["a", "b"], claims: { name: "Alice A" } },
  ],
  [
    "mod_auth_mellon",
    { "X-Remote-User": "alice", "X-Remote-Groups": "a;b" },
    { username: "alice", groups: ["a", "b"] },
  ],
  ["cloudflare-access", { "Cf-Access-Authenticated-User-Email": "a@example.com" }, { username: "a@example.com" }],
  ["aws-alb", { "X-Amzn-Oidc-Identity": "c9e1-4ef0" }, { username: "c9e1-4ef0" }],
  [
    "google-iap",
    { "X-Goog-Authenticated-User-Email": "accounts.google.com:a@example.com" },
    { username: "a@example.com" },
  ],
  [
    "pomerium",
    { "X-Pomerium-Claim-Email": "a@example.com", "X-Pomerium-Claim-Groups": "a,b" },
    { username: "a@example.com", groups: ["a", "b"] },
  ],
  [
    "tailscale",
    { "Tailscale-User-Login": "a@example.com", "Tailscale-User-Name": "=?utf-8?q?Zo=C3=AB_M=C3=BCller?=" },
    { username: "a@example.com", claims: { name: "Zoë Müller" } },
  ],
];

test.each(presetRequests)("the headers of %s are known", async (preset, headers, identity) => {
  const backend = await ssoHeaderBackend({ trustedProxies: ["10.1.0.7"], preset });
  expect(await ask(backend, { headers })).toMatchObject({ status: "authenticated", identity });
});

test("an option overrides its preset", async () => {
  const backend = await ssoHeaderBackend({
    trustedProxies: ["10.1.0.7"],
    preset: "oauth2-proxy",
    userHeader: "X-Forwarded-Preferred-Username",
    nameHeader: "X-Forwarded-Name",
  });
  const headers = { "X-Forwarded-User": "sub-1", "X-Forwarded-Preferred-Username": "alice" };
  expect(await ask(backend, { headers })).toMatchObject({ identity: { username: "alice" } });
});

test("a user header without its prefix is rejected", async () => {
  const backend = await ssoHeaderBackend({ trustedProxies: ["10.1.0.7"], preset: "google-iap" });
  for (const value of [
    "a@example.com",
    "securetoken.google.com/p:a@example.com",
    "Accounts.google.com:a@example.com",
  ]) {
    expect(await ask(backend, { headers: { "X-Goog-Authenticated-User-Email": value } })).toEqual({
      status: "rejected",
      reason: "the user header does not begin with the prefix",
    });
  }
  const empty = { "X-Goog-Authenticated-User-Email": "accounts.google.com:" };
  expect(await ask(backend, { headers: empty })).toEqual({ status: "rejected", reason: "the user header is empty" });
});

test.each([
  ["=?utf-8?q?Zo=C3=AB?= =?utf-8?q?_M?=", "Zoë M"],
  ["=?UTF-8?Q?Zo=c3=ab?=", "Zoë"],
  ["Zoe", "Zoe"],
  ["=?utf-8?q?=FF?=", undefined],
  ["=?utf-8?b?Wm/Dqw==?=", undefined],
  ["=?iso-8859-1?q?Zo=EB?=", undefined],
  ["=?utf-8?q?a?= b", undefined],
  ["=?utf-8?q?a=00b?=", undefined],
  ["=?utf-8?q?a=?=", undefined],
  ["=?", undefined],
])("the encoded words %j are %j", async (value, name) => {
  const backend = await open({ encodedWords: true });
  const result = await ask(backend, withUser(value));
  if (name === undefined) expect(result.status).toBe("rejected");
  else expect(result).toMatchObject({ identity: { username: name } });
});

test("names arrive from a real connection as the proxy sent them", async () => {
  const backend = await open({ trustedProxies: ["127.0.0.1"] });
  const server = createServer(async (request, response) => {
    const result = await backend.authenticate({
      credentials: undefined,
      peer: { address: request.socket.remoteAddress, unixSocket: false },
      client: undefined,
      header: (name) => request.headersDistinct[name] ?? [],
      signal: new AbortController().signal,
    });
    response.end(result.status === "authenticated" ? result.identity.username : result.status);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;

  const send = (...lines: (string | Buffer)[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
      socket.on("end", () => resolve(Buffer.concat(chunks).toString().split("\r\n\r\n")[1] ?? ""));
      socket.write("GET / HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n");
      for (const line of lines) socket.write(Buffer.concat([Buffer.from(line), Buffer.from("\r\n")]));
      socket.write("\r\n");
    });
  expect(await send("X-Forwarded-User: zoë")).toContain("zoë");
  expect(await send("x-FORWARDED-user:   alice  ")).toContain("alice");
  expect(await send(Buffer.from("X-Forwarded-User: zo\xeb", "latin1"))).toContain("rejected");
  expect(await send("X-Forwarded-User: alice", "X-Forwarded-User: boss")).toContain("rejected");
  expect(await send("X-Forwarded-User:")).toContain("rejected");
  expect(await send("X_Forwarded_User: boss")).toContain("abstained");
});

test("the plugin makes the same backend, and describes its options", async () => {
  const { log } = recordingLog();
  const backend = await ssoHeaderPlugin.open(
    { trustedProxies: ["10.1.0.7"], preset: "authelia" },
    { id: "front", baseDirectory: "/", log, warn() {} },
  );
  expect(await ask(backend, { headers: { "Remote-User": "alice" } })).toMatchObject({ identity: { backend: "front" } });
  expect(ssoHeaderPlugin.optionsSchema).toMatchObject({ type: "object", required: ["trustedProxies"] });
});

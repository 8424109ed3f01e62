import type { AuthBackend } from "@registry-gate/auth";
import { describe, expect, it, onTestFinished } from "vitest";
import { ldapBackend } from "../src/backend.ts";
import type { LdapOptions } from "../src/options.ts";
import { bindResponse, element, message, searchDone, searchEntry, searchReference } from "./ber-message.ts";
import { type FakeDirectory, type FakeRequest, type FakeResponse, startFakeDirectory } from "./fake-directory.ts";

const domain = "dc=example,dc=org";
const base = `ou=groups,${domain}`;
const user = `uid=alice,ou=people,${domain}`;
const group = (index: number | string): string => `cn=g${index},${base}`;

type Attributes = Parameters<typeof searchEntry>[2];

/** Answers the search for the user with an entry of these attributes, and other searches by `others`. */
function directoryWith(
  attributes: Attributes,
  others: (request: FakeRequest) => FakeResponse = ({ id }) => [searchDone(id)],
): Promise<FakeDirectory> {
  return fake((request) => {
    if (request.kind === "bind") return undefined;
    if (request.scope !== "sub" || !request.attributes.includes("uid")) return others(request);
    return [searchEntry(request.id, user, attributes), searchDone(request.id)];
  });
}

async function fake(respond: Parameters<typeof startFakeDirectory>[0]): Promise<FakeDirectory> {
  const directory = await startFakeDirectory(respond);
  onTestFinished(() => directory.close());
  return directory;
}

async function backendOf(directory: FakeDirectory, options: Partial<LdapOptions> = {}): Promise<AuthBackend> {
  const backend = await ldapBackend({
    urls: [directory.url],
    allowCleartext: true,
    searchBase: domain,
    groups: { searchBase: base },
    pool: { size: 1 },
    // Whatever is not given up for its size is given up late enough for a slow machine.
    timeout: "20s",
    ...options,
  });
  onTestFinished(() => backend.close?.());
  return backend;
}

/** The groups of alice, or why there is no answer. */
async function login(backend: AuthBackend): Promise<readonly string[] | string> {
  try {
    const result = await backend.authenticate({
      credentials: { scheme: "basic", username: "alice", password: "alicepw" },
      peer: { address: "127.0.0.1", unixSocket: false },
      client: "127.0.0.1",
      header: () => [],
      signal: new AbortController().signal,
    });
    return result.status === "authenticated" ? result.identity.groups : result.status;
  } catch (error) {
    if (error instanceof Error && error.name === "BackendUnavailableError") return error.message;
    throw error;
  }
}

const searchesOf = ({ requests }: FakeDirectory): number => requests.filter(({ kind }) => kind === "search").length;
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** An endless response, some kilobytes at a time. */
function* endless(make: (index: number) => Buffer): Iterable<Buffer> {
  for (let index = 0; ; ) {
    const chunk: Buffer[] = [];
    for (let length = 0; length < 32_768; index++) {
      const part = make(index);
      chunk.push(part);
      length += part.length;
    }
    yield Buffer.concat(chunk);
  }
}

describe("a login to an honest directory", () => {
  it("reads the groups of the user", async () => {
    const directory = await directoryWith({ uid: ["alice"], memberOf: [group(1), group(2)] });
    expect(await login(await backendOf(directory))).toEqual(["g1", group(1), "g2", group(2)]);
  });

  it("puts together an attribute that comes in parts", async () => {
    const directory = await directoryWith([
      ["uid", ["alice"]],
      ["memberOf", [group(1)]],
      ["MEMBEROF", [group(2)]],
    ]);
    expect(await login(await backendOf(directory))).toEqual(["g1", group(1), "g2", group(2)]);
  });

  it("reads a response that comes byte by byte", async () => {
    const directory = await fake(({ kind, id }) => {
      if (kind === "bind") return [...bindResponse(id)].map((byte) => Buffer.from([byte]));
      const response = [searchEntry(id, user, { uid: ["alice"], memberOf: [group(1)] }), searchDone(id)];
      return [...Buffer.concat(response)].map((byte) => Buffer.from([byte]));
    });
    expect(await login(await backendOf(directory))).toEqual(["g1", group(1)]);
  });

  it("reads 10,000 groups, and no more", async () => {
    const many = times(10_000, group);
    const directory = await directoryWith({ uid: ["alice"], memberOf: many });
    expect(await login(await backendOf(directory))).toHaveLength(20_000);
    const more = await directoryWith({ uid: ["alice"], memberOf: [...many, group("x")] });
    expect(await login(await backendOf(more))).toBe("ldap: memberOf has more than 10000 values");
  });
});

/** The response to the search for the user. */
const responses: readonly (readonly [string, (id: number) => FakeResponse, RegExp])[] = [
  [
    "an attribute 60,000 times",
    (id) => [
      searchEntry(id, user, [["uid", ["alice"]], ...times(60_000, () => ["memberOf", [group(1)]] as const)]),
      searchDone(id),
    ],
    /more than 100000 elements/,
  ],
  [
    "60,000 attributes",
    (id) => [
      searchEntry(
        id,
        user,
        times(60_000, (index) => [`a${index}`, ["x"]] as const),
      ),
      searchDone(id),
    ],
    /more than 100000 elements/,
  ],
  [
    "a million values",
    (id) => [searchEntry(id, user, { uid: ["alice"], memberOf: times(1_000_000, () => "") }), searchDone(id)],
    /more than 100000 elements/,
  ],
  [
    "a value of many megabytes",
    (id) => [searchEntry(id, user, { uid: ["alice"], memberOf: ["x".repeat(9_000_000)] }), searchDone(id)],
    /a message is too long/,
  ],
  [
    "a message that says it has two gigabytes",
    () => [Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])],
    /a message is too long/,
  ],
  ["entries without end", (id) => endless((index) => searchEntry(id, group(index), {})), /more than the 2 entries/],
  [
    "references without end",
    (id) => endless((index) => searchReference(id, `ldap://x/${group(index)}`)),
    /more than 20000 entries and references/,
  ],
  [
    "long references without end",
    (id) => endless(() => searchReference(id, `ldap://x/${"x".repeat(60_000)}`)),
    /longer than 4194304 bytes/,
  ],
  [
    "intermediate responses without end",
    (id) => endless(() => message(id, element(0x79, element(0x80, Buffer.from("1.2.3"))))),
    /unexpected type/,
  ],
  [
    "responses to something else without end",
    (id) => endless(() => searchEntry(id + 1, user, {})),
    /unexpected message ID/,
  ],
  ["unsolicited notifications without end", () => endless(() => message(0, element(0x78))), /closes the connection/],
  ["bytes without end", () => endless(() => Buffer.alloc(4096)), /not an LDAP message/],
  ["an element in an element without end", (id) => [nested(id)], /malformed message/],
  [
    "a second entry for the user beyond the limit",
    (id) => [...times(3, () => searchEntry(id, user, { uid: ["alice"] })), searchDone(id)],
    /more than the 2 entries/,
  ],
  [
    "a DN of a megabyte",
    (id) => [searchEntry(id, `uid=alice,${"ou=x,".repeat(200_000)}${domain}`, { uid: ["alice"] }), searchDone(id)],
    /a DN in the directory is longer/,
  ],
  ["a DN that is none", (id) => [searchEntry(id, "alice", { uid: ["alice"] }), searchDone(id)], /invalid DN/],
  ["a result of another kind", (id) => [bindResponse(id)], /unexpected type/],
];

/** A message of a megabyte in which each element holds the next one. */
function nested(id: number): Buffer {
  const layers: Buffer[] = [];
  let length = 0;
  for (let depth = 0; depth < 200_000; depth++) {
    const head = Buffer.from([0x30, 0x84, 0, 0, 0, 0]);
    head.writeUInt32BE(length, 2);
    layers.push(head);
    length += head.length;
  }
  return message(id, element(0x64, Buffer.concat(layers.reverse())));
}

describe.each(responses)("a login is unavailable, and its connection destroyed, after %s", (_, respond, reason) => {
  it("in response to the search for the user", async () => {
    const directory = await fake(({ kind, id }) => (kind === "bind" ? undefined : respond(id)));
    const backend = await backendOf(directory, { connectTimeout: "200ms" });
    expect(await login(backend)).toMatch(reason);
    await expect.poll(() => directory.open()).toBe(0);
    // What the sockets of both sides hold is beyond what has been read.
    expect(directory.written()).toBeLessThan(32 * 1024 * 1024);
  });
});

describe("a login is unavailable, and its connection destroyed,", () => {
  async function expectUnavailable(
    directory: FakeDirectory,
    reason: RegExp,
    options: Partial<LdapOptions> = {},
  ): Promise<void> {
    expect(await login(await backendOf(directory, options))).toMatch(reason);
    // That on which the user has signed in is kept: nothing was wrong with it.
    await expect.poll(() => directory.open()).toBeLessThanOrEqual(1);
    expect(searchesOf(directory)).toBeLessThanOrEqual(100);
    expect(directory.written()).toBeLessThan(64 * 1024 * 1024);
  }

  it.each([1, 10, 1500])("after ranges without an end, of %d values each", async (step) => {
    const range = (from: number): Attributes => ({
      uid: ["alice"],
      [`memberOf;range=${from}-${from + step - 1}`]: times(step, (index) => group(from + index)),
    });
    const directory = await directoryWith(range(0), ({ id, attributes }) => [
      searchEntry(id, user, range(Number(/range=(\d+)-/.exec(attributes[0] ?? "")?.[1]))),
      searchDone(id),
    ]);
    await expectUnavailable(directory, /more than (?:10000 values|100 searches)/);
  });

  it.each<[string, string]>([
    ["make no progress", "memberOf;range=0-0"],
    ["lead back", "memberOf;range=0-1"],
    ["leave some out", "memberOf;range=5-9"],
    ["have a number beyond numbers", `memberOf;range=${"9".repeat(400)}-*`],
  ])("after ranges that %s", async (_, next) => {
    const directory = await directoryWith({ uid: ["alice"], "memberOf;range=0-0": [group(0)] }, ({ id }) => [
      searchEntry(id, user, { [next]: [group(0)] }),
      searchDone(id),
    ]);
    await expectUnavailable(directory, /does not give all values of memberOf/);
  });

  it.each([1, 500])("after groups in groups without end, %d a level", async (breadth) => {
    let count = 0;
    const directory = await directoryWith({ uid: ["alice"], memberOf: [group("a")] }, ({ id }) => [
      ...times(breadth, () => searchEntry(id, group(count++), { cn: ["x"] })),
      searchDone(id),
    ]);
    await expectUnavailable(directory, /more than (?:32 levels|10000 groups|100 searches)/, {
      groups: { searchBase: base, nested: true },
    });
  });

  it("after 20,000 groups in one response", async () => {
    const directory = await directoryWith({ uid: ["alice"] }, ({ id }) => [
      ...times(12_000, (index) => searchEntry(id, group(index), {})),
      searchDone(id),
    ]);
    await expectUnavailable(directory, /more than 10000 groups/, {
      groups: { searchBase: base, searchFilter: "(member={{dn}})" },
    });
  });

  it("after groups that have many names each", async () => {
    const names = times(20, (index) => `name${index}`);
    const directory = await directoryWith({ uid: ["alice"] }, ({ id }) => [
      ...times(9000, (index) => searchEntry(id, group(index), { cn: names })),
      searchDone(id),
    ]);
    await expectUnavailable(directory, /a response holds more than 100000 elements/, {
      groups: { searchBase: base, searchFilter: "(member={{dn}})" },
    });
  });

  it("after 10,000 groups whose names can be asked for one by one alone", async () => {
    const directory = await directoryWith(
      { uid: ["alice"], memberOf: times(10_000, (index) => `uid=g${index},${base}`) },
      ({ id, scope }) => [searchDone(id, scope === "base" ? 0 : 4)],
    );
    await expectUnavailable(directory, /more than 100 searches/);
  });

  it("after responses that are long together", async () => {
    let count = 0;
    const long = "x".repeat(4_000_000);
    const directory = await directoryWith({ uid: ["alice"], memberOf: [group("a")] }, ({ id }) => [
      searchEntry(id, group(count++), { cn: [long] }),
      searchDone(id),
    ]);
    await expectUnavailable(directory, /longer than 16777216 bytes/, { groups: { searchBase: base, nested: true } });
  });

  it("after searches that are slow together", async () => {
    let count = 0;
    const directory = await directoryWith({ uid: ["alice"], memberOf: [group("a")] }, async function* ({ id }) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      yield Buffer.concat([searchEntry(id, group(count++), {}), searchDone(id)]);
    });
    await expectUnavailable(directory, /the searches of a login take more than 1000 ms|no response within 100 ms/, {
      timeout: 100,
      groups: { searchBase: base, nested: true },
    });
  });

  it("after a search that never ends, however much it says", async () => {
    const directory = await directoryWith({ uid: ["alice"], memberOf: [group("a")] }, async function* ({ id }) {
      for (;;) {
        yield searchReference(id, "ldap://x");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    });
    await expectUnavailable(directory, /no response within 300 ms/, {
      timeout: 300,
      groups: { searchBase: base, nested: true },
    });
  });
});

describe("a login is rejected", () => {
  it.each([
    ["a name of a megabyte", `a${"\u0301\u0316".repeat(250_000)}`],
    ["a name with more marks than any writing system has", `a${"\u0301\u0316".repeat(16)}`],
  ])("where the entry has %s", async (_, uid) => {
    expect(await login(await backendOf(await directoryWith({ uid: [uid] })))).toBe("rejected");
    expect(await login(await backendOf(await directoryWith({ uid: ["alice", uid] })))).toBe("rejected");
  });
});

describe("what one login is refused for", () => {
  it("is no fault of the server's, which others go on using", async () => {
    const directory = await fake(({ kind, id, bytes }) => {
      if (kind === "bind") return undefined;
      const memberOf = bytes.includes("mallory") ? times(30_000, group) : [group(1)];
      const uid = bytes.includes("mallory") ? "mallory" : "alice";
      return [searchEntry(id, `uid=${uid},${domain}`, { uid: [uid], memberOf }), searchDone(id)];
    });
    const lines: string[] = [];
    const log = (_: unknown, text: string): void => void lines.push(text);
    const backend = await ldapBackend(
      { urls: [directory.url], allowCleartext: true, searchBase: domain, groups: { searchBase: base } },
      { log: { debug: log, info: log, warn: log, error: log } },
    );
    onTestFinished(() => backend.close?.());
    const mallory = {
      credentials: { scheme: "basic", username: "mallory", password: "x" },
      peer: { address: "127.0.0.1", unixSocket: false },
      client: "127.0.0.1",
      header: () => [],
      signal: new AbortController().signal,
    } as const;
    for (let count = 0; count < 3; count++) {
      await expect(backend.authenticate(mallory)).rejects.toThrow("more than 10000 values");
      expect(await login(backend)).toEqual(["g1", group(1)]);
    }
    expect(lines).toEqual([]);
  });
});

import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bindResponse, extendedResponse, message, searchDone } from "../../packages/auth-ldap/test/ber-message.ts";
import { blackHole, halfOpen, startRelay } from "../support/relay.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { openBackend, outcomeOf, signIn } from "./login.ts";
import { occurrences, type Relayed, relayed, relayTo, unavailable } from "./relayed.ts";

let slapd: Slapd;
let way: Relayed;
beforeAll(async () => {
  slapd = await startSlapd();
  way = relayed(slapd);
});
afterAll(() => slapd?.close());

const isBindOf = (bytes: Buffer, user: string): boolean => bytes.includes(`uid=${user},ou=people`) && bytes[5] === 0x60;

describe("a connection that breaks", () => {
  it("while a password is under way makes the login unavailable, and the password is not sent again", async () => {
    const relay = await relayTo(slapd.port);
    const { backend } = await openBackend(way.inClear(relay));
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
    const before = occurrences(relay.sent(), "alicepw");
    relay.tamper((bytes, direction) => (direction === "up" && isBindOf(bytes, "alice") ? "reset" : undefined));
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(unavailable);
    expect(occurrences(relay.sent(), "alicepw")).toBe(before + 1);
    relay.pass();
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it("while the user is searched for costs the login nothing", async () => {
    const relay = await relayTo(slapd.port);
    const { backend } = await openBackend(way.inClear(relay));
    await signIn(backend, "alice", "alicepw");
    let torn = 0;
    relay.tamper((bytes) => (bytes[5] === 0x63 && torn++ === 0 ? "reset" : undefined));
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
    expect(torn).toBe(2);
  });

  it("in the middle of a response makes the login unavailable, never without the groups that were cut off", async () => {
    const relay = await relayTo(slapd.port);
    const { backend } = await openBackend(way.inClear(relay));
    await signIn(backend, "alice", "alicepw");
    let cut = 0;
    const searching = new Set<number>();
    relay.tamper((bytes, direction, connection) => {
      if (direction === "up") {
        if (bytes[5] === 0x63) searching.add(connection);
        return undefined;
      }
      if (!searching.delete(connection)) return cut === 0 ? undefined : "reset";
      cut++;
      return bytes.subarray(0, bytes.length - 20);
    });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(unavailable);
    expect(cut).toBeGreaterThan(0);
    relay.pass();
    await expect.poll(() => outcomeOf(signIn(backend, "alice", "alicepw")), { timeout: 10_000 }).toBe("authenticated");
  });

  it("while it is idle costs the login nothing", async () => {
    for (const options of [way.inClear, way.overTls, way.overStartTls]) {
      const relay = await relayTo(options === way.overTls ? slapd.tlsPort : slapd.port);
      const { backend } = await openBackend(options(relay));
      await Promise.all(Array.from({ length: 8 }, () => signIn(backend, "alice", "alicepw")));
      relay.resetAll();
      // The other ends are in this process: it takes a few turns until they have heard of it.
      await delay(200);
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
    }
  });

  it("with every attempt makes the login unavailable, also over TLS", async () => {
    for (const options of [way.inClear, way.overTls, way.overStartTls]) {
      const relay = await relayTo(options === way.overTls ? slapd.tlsPort : slapd.port);
      relay.tamper(() => "reset");
      const { backend } = await openBackend(options(relay));
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(unavailable);
      await expect(backend.check?.(AbortSignal.timeout(5000))).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
    }
  });
});

describe("a server that keeps silent", () => {
  it("costs one connect timeout, once, and is then left out, until it is there again and is preferred", async () => {
    const relay = await relayTo(slapd.tlsPort);
    relay.tamper(blackHole);
    const { backend, lines } = await openBackend({
      ...way.overTls(relay),
      urls: [...way.overTls(relay).urls, slapd.tlsUrl],
    });
    const first = await Promise.all(Array.from({ length: 64 }, () => outcomeOf(signIn(backend, "alice", "alicepw"))));
    expect(new Set(first)).toEqual(new Set(["authenticated"]));
    const attempts = relay.connections();
    expect(attempts).toBeLessThanOrEqual(16);
    for (let login = 0; login < 100; login++) await signIn(backend, "alice", "alicepw");
    // Not one of these logins has asked it; at most the background has, once.
    expect(relay.connections()).toBeLessThanOrEqual(attempts + 1);
    expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1);

    relay.pass();
    await expect
      .poll(() => lines.some(({ message }) => message === "LDAP server is back up"), { timeout: 20_000 })
      .toBe(true);
    const before = relay.connections();
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
    expect(relay.connections()).toBe(before + 2);
  });

  it("and is alone makes logins unavailable, the later ones at once", async () => {
    const relay = await relayTo(slapd.tlsPort);
    relay.tamper(blackHole);
    const { backend } = await openBackend(way.overTls(relay));
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*not connected within 500 ms/);
    const attempts = relay.connections();
    for (let login = 0; login < 20; login++) {
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*no server responds/);
    }
    expect(relay.connections()).toBeLessThanOrEqual(attempts + 1);
  });

  it("on connections that worked is left for the next one", async () => {
    const relay = await relayTo(slapd.tlsPort);
    const { backend } = await openBackend({ ...way.overTls(relay), urls: [...way.overTls(relay).urls, slapd.tlsUrl] });
    await Promise.all(Array.from({ length: 8 }, () => signIn(backend, "alice", "alicepw")));
    expect(relay.connections()).toBeGreaterThan(0);
    relay.tamper(blackHole);
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
    expect(await outcomeOf(signIn(backend, "alice", "x"))).toBe("rejected: wrong password");
  });

  it("after it was sent a password makes the login unavailable, and the password is not sent again", async () => {
    const relay = await relayTo(slapd.port);
    const { backend } = await openBackend({
      ...way.inClear(relay),
      urls: [...way.inClear(relay).urls, slapd.tlsUrl],
    });
    await signIn(backend, "alice", "alicepw");
    const before = occurrences(relay.sent(), "alicepw");
    let silent = false;
    relay.tamper((bytes, direction, connection) => {
      if (direction === "up" && isBindOf(bytes, "alice")) silent = true;
      return silent ? halfOpen(bytes, direction, connection) : undefined;
    });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*no response within 500 ms/);
    expect(occurrences(relay.sent(), "alicepw")).toBe(before + 1);
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it("does not hold back a login that is no longer wanted", async () => {
    for (const options of [way.inClear, way.overTls, way.overStartTls]) {
      const relay = await relayTo(options === way.overTls ? slapd.tlsPort : slapd.port);
      relay.tamper(blackHole);
      const { backend } = await openBackend({ ...options(relay), timeout: "1m", connectTimeout: "1m" });
      const controller = new AbortController();
      const logins = Array.from({ length: 20 }, () =>
        outcomeOf(signIn(backend, "alice", "alicepw", controller.signal)),
      );
      await expect.poll(() => relay.connections()).toBeGreaterThanOrEqual(8);
      controller.abort();
      for (const outcome of await Promise.all(logins)) expect(outcome).toMatch(/the request was aborted/);
    }
  });
});

describe("a server that refuses connections", () => {
  it("is passed over for the next", async () => {
    const gone = await startRelay(slapd.tlsPort);
    await gone.close();
    const { backend } = await openBackend({ ...way.overTls(gone), urls: [...way.overTls(gone).urls, slapd.tlsUrl] });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it("and is alone makes the login unavailable, never rejected", async () => {
    const gone = await startRelay(slapd.tlsPort);
    await gone.close();
    const { backend } = await openBackend(way.overTls(gone));
    expect(await outcomeOf(signIn(backend, "alice", "wrong"))).toBe(
      "unavailable: ldap: cannot be reached: connection refused",
    );
  });
});

describe("responses that are malformed", () => {
  it.each([
    ["text", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["zeros", Buffer.alloc(64)],
    ["a message that says it is endless", Buffer.from([0x30, 0x80, 0x02, 0x01])],
    ["a message whose inside is longer than itself", Buffer.from("300e02010361090a0131040004008705", "hex")],
    ["a message beyond measure", Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])],
  ])("such as %s make the login unavailable", async (_, garbage) => {
    const relay = await relayTo(slapd.port);
    const { backend } = await openBackend(way.inClear(relay));
    await signIn(backend, "alice", "alicepw");
    relay.tamper((__, direction) => (direction === "down" ? garbage : undefined));
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(unavailable);
    relay.pass();
    await expect.poll(() => outcomeOf(signIn(backend, "alice", "alicepw")), { timeout: 10_000 }).toBe("authenticated");
  });

  it("within TLS make the login unavailable", async () => {
    const relay = await relayTo(slapd.tlsPort);
    const { backend } = await openBackend(way.overTls(relay));
    await signIn(backend, "alice", "alicepw");
    relay.tamper((bytes, direction) => (direction === "down" ? Buffer.alloc(bytes.length, 0x17) : undefined));
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(unavailable);
    relay.pass();
    await expect.poll(() => outcomeOf(signIn(backend, "alice", "alicepw")), { timeout: 10_000 }).toBe("authenticated");
  });

  it.each([
    ["under another number", (id: number) => bindResponse(id + 1)],
    ["under number 0", () => bindResponse(0)],
    ["of a search", (id: number) => searchDone(id)],
    ["of an extension", (id: number) => extendedResponse(id)],
    ["twice", (id: number) => Buffer.concat([bindResponse(id, 49), bindResponse(id)])],
    ["and another's before it", (id: number) => Buffer.concat([bindResponse(id + 1), bindResponse(id)])],
    ["without a result", (id: number) => message(id, Buffer.from([0x61, 0x00]))],
  ])("to a password, %s, let nobody in", async (_, forge) => {
    const relay = await relayTo(slapd.port);
    const { backend } = await openBackend(way.inClear(relay));
    await signIn(backend, "alice", "alicepw");
    let id = 0;
    relay.tamper((bytes, direction) => {
      if (direction === "up") {
        id = isBindOf(bytes, "alice") ? (bytes[4] ?? 0) : 0;
        return undefined;
      }
      return id === 0 ? undefined : forge(id);
    });
    expect(await outcomeOf(signIn(backend, "alice", "wrong"))).toMatch(/^(?:unavailable|rejected): /);
    relay.pass();
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });
});

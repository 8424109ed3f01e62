import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createServers, type Servers } from "../src/directory/servers.ts";
import { DirectoryError } from "../src/directory-error.ts";
import type { Session } from "../src/protocol/session.ts";
import { scriptedSession } from "./scripted-session.ts";

const { signal } = new AbortController();
const prepare = async (): Promise<void> => {};
const silent = (): DirectoryError => new DirectoryError("connect", "not connected within 3000 ms", { slow: true });
const refusing = (): DirectoryError => new DirectoryError("connect", "connection refused", { transient: true });

interface Fixture {
  readonly servers: Servers;
  /** The names of the servers that were asked, in order. */
  readonly asked: string[];
  readonly told: string[];
  /** What is wrong with a server; without a fault it works. */
  set(name: string, fault?: () => DirectoryError): void;
}

function serversOf(...names: readonly string[]): Fixture {
  const faults = new Map<string, () => DirectoryError>();
  const asked: string[] = [];
  const told: string[] = [];
  const log = (_: unknown, message: string): void => void told.push(message);
  const servers = createServers({
    addresses: names.map((name) => ({ url: name, ldaps: true, host: name, port: 636 })),
    async open({ url }, _, prepare): Promise<Session> {
      asked.push(url);
      const fault = faults.get(url);
      if (fault !== undefined) throw fault();
      const session = scriptedSession(undefined, url);
      await prepare(session, signal);
      return session;
    },
    proof: async () => {},
    retryFor: 3000,
    log: { debug: log, info: log, warn: log, error: log },
  });
  return {
    servers,
    asked,
    told,
    set: (name, fault) => void (fault === undefined ? faults.delete(name) : faults.set(name, fault)),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("several servers", () => {
  it("are used in their order: the first that works", async () => {
    const { servers, asked, set } = serversOf("one", "two", "three");
    set("one", refusing);
    expect((await servers.connect(signal, prepare)).server).toBe("two");
    expect((await servers.connect(signal, prepare)).server).toBe("two");
    expect(asked).toEqual(["one", "two", "two"]);
    expect([servers.preferred("one"), servers.preferred("two"), servers.preferred("three")]).toEqual([
      false,
      true,
      false,
    ]);
    servers.close();
  });

  it("that fail are probed in the background at growing intervals, and used again as soon as they respond", async () => {
    const { servers, asked, told, set } = serversOf("one", "two");
    set("one", silent);
    await servers.connect(signal, prepare);
    asked.length = 0;
    const after: number[] = [];
    for (let second = 1; second <= 62; second++) {
      const before = asked.length;
      await vi.advanceTimersByTimeAsync(1000);
      if (asked.length > before) after.push(second);
    }
    // 1, 2, 4, 8, and then every 15 seconds.
    expect(after).toEqual([1, 3, 7, 15, 30, 45, 60]);
    set("one");
    expect(servers.preferred("one")).toBe(false);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(servers.preferred("one")).toBe(true);
    expect((await servers.connect(signal, prepare)).server).toBe("one");
    expect(told).toEqual(["LDAP server marked down", "LDAP server is back up"]);
    servers.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that keep silent, all of them, are not waited for again", async () => {
    const { servers, asked, set } = serversOf("one", "two");
    set("one", silent);
    set("two", silent);
    await expect(servers.connect(signal, prepare)).rejects.toThrow("not connected within 3000 ms");
    await expect(servers.connect(signal, prepare)).rejects.toThrow(/no server responds; one: .*; two: /);
    expect(asked).toEqual(["one", "two"]);
    servers.close();
  });

  it("that refuse connections are asked again for a while: they may be on their way back", async () => {
    const { servers, set } = serversOf("one");
    set("one", refusing);
    const connecting = servers.connect(signal, prepare);
    await vi.advanceTimersByTimeAsync(700);
    set("one");
    await vi.advanceTimersByTimeAsync(1000);
    expect((await connecting).server).toBe("one");
    servers.close();
  });

  it("that refuse connections for longer are an error", async () => {
    const { servers, set } = serversOf("one");
    set("one", refusing);
    const refused = expect(servers.connect(signal, prepare)).rejects.toThrow("connection refused");
    await vi.advanceTimersByTimeAsync(3000);
    await refused;
    servers.close();
  });

  it("are not waited for after an abort", async () => {
    const { servers, set } = serversOf("one");
    set("one", refusing);
    const leaving = new AbortController();
    const left = expect(servers.connect(leaving.signal, prepare)).rejects.toThrow("the request was aborted");
    await vi.advanceTimersByTimeAsync(10);
    leaving.abort();
    await left;
    servers.close();
  });

  it("are left out for a fault during an operation that is theirs, and for no other", async () => {
    const { servers } = serversOf("one", "two");
    for (const fault of [
      new DirectoryError("result", "size limit exceeded", { code: 4 }),
      new DirectoryError("service", "refused", { code: 49 }),
      new DirectoryError("crowded", "waiting"),
      new DirectoryError("aborted", "gone"),
    ]) {
      servers.report("one", fault);
      expect(servers.preferred("one")).toBe(true);
    }
    servers.report("one", new DirectoryError("result", "busy", { code: 51 }));
    expect(servers.preferred("one")).toBe(false);
    servers.report("two", new DirectoryError("protocol", "the response is not an LDAP message"));
    expect(servers.preferred("two")).toBe(false);
    servers.close();
  });

  it("that were slow once are asked at once whether they are there", async () => {
    const { servers, asked } = serversOf("one", "two");
    servers.report("one", new DirectoryError("timeout", "no response within 5000 ms"));
    expect(servers.preferred("two")).toBe(true);
    await vi.advanceTimersByTimeAsync(50);
    expect(asked).toEqual(["one"]);
    expect(servers.preferred("one")).toBe(true);
    servers.close();
  });

  it("do not hide that the service account is refused", async () => {
    const { servers, asked } = serversOf("one", "two");
    const refused = async (): Promise<void> => {
      throw new DirectoryError("service", "the service account is refused");
    };
    await expect(servers.connect(signal, refused)).rejects.toThrow("the service account is refused");
    expect(asked).toEqual(["one"]);
    expect(servers.preferred("one")).toBe(true);
    servers.close();
  });

  it("that are closed are asked no more", async () => {
    const { servers, asked, set } = serversOf("one", "two");
    set("one", silent);
    await servers.connect(signal, prepare);
    servers.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual(["one", "two"]);
    await expect(servers.connect(signal, prepare)).rejects.toThrow("the backend is closed");
  });
});

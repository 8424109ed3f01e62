import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bindResponse, extendedResponse } from "../../packages/auth-ldap/test/ber-message.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { openBackend, outcomeOf, signIn } from "./login.ts";
import { occurrences, type Relayed, relayed, relayTo, unavailable } from "./relayed.ts";

const startTlsOid = "1.3.6.1.4.1.1466.20037";

let slapd: Slapd;
let way: Relayed;
beforeAll(async () => {
  slapd = await startSlapd();
  way = relayed(slapd);
});
afterAll(() => slapd?.close());

describe("a man in the middle between the gate and a server with StartTLS", () => {
  const forged = bindResponse(2);

  it.each<[string, Buffer]>([
    ["an answer to a bind that will be asked", forged],
    ["the beginning of one", forged.subarray(0, 6)],
    ["a single byte", Buffer.from([0x30])],
    ["answers to many binds", Buffer.concat(Array.from({ length: 20 }, (_, index) => bindResponse(index + 1)))],
  ])("gains nothing by %s behind the response to StartTLS", async (_, injected) => {
    const relay = await relayTo(slapd.port);
    relay.tamper((bytes, direction) =>
      direction === "down" && bytes[5] === 0x78 ? Buffer.concat([bytes, injected]) : undefined,
    );
    const { backend } = await openBackend(way.overStartTls(relay));
    expect(await outcomeOf(signIn(backend, "bob", "wrong"))).toMatch(
      /^unavailable: .*somebody may intercept the connection/,
    );
    for (const secret of ["wrong", "gatepw", "uid=bob"]) expect(occurrences(relay.sent(), secret)).toBe(0);
    relay.pass();
    expect(await outcomeOf(signIn(backend, "bob", "bobpw"))).toBe("authenticated");
  });

  it("gains nothing by bytes that come a moment later", async () => {
    const relay = await relayTo(slapd.port);
    relay.tamper((bytes, direction) => {
      // The first bytes of the server's handshake are preceded by a forged response.
      return direction === "down" && bytes[0] === 0x16 ? Buffer.concat([forged, bytes]) : undefined;
    });
    const { backend } = await openBackend(way.overStartTls(relay));
    expect(await outcomeOf(signIn(backend, "bob", "wrong"))).toMatch(unavailable);
    for (const secret of ["wrong", "gatepw", "uid=bob"]) expect(occurrences(relay.sent(), secret)).toBe(0);
  });

  it.each([
    ["declines it", extendedResponse(1, 52)],
    ["answers under another number", extendedResponse(9)],
    ["responses to something else", bindResponse(1)],
  ])("who %s gets no password in clear", async (_, response) => {
    const relay = await relayTo(slapd.port);
    relay.tamper((bytes, direction) => (direction === "down" && bytes[5] === 0x78 ? response : undefined));
    const { backend } = await openBackend(way.overStartTls(relay));
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*StartTLS/);
    expect(relay.sent().includes(startTlsOid)).toBe(true);
    for (const secret of ["alicepw", "gatepw", "uid=alice"]) expect(occurrences(relay.sent(), secret)).toBe(0);
  });
});

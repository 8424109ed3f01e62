import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anything } from "../src/filter/filter.ts";
import { createEntry } from "../src/protocol/entry.ts";
import { createMessageReader, type Message } from "../src/protocol/message-reader.ts";
import { readBindResult, readEntry, readResult } from "../src/protocol/responses.ts";
import { createSession } from "../src/protocol/session.ts";
import { bindResponse, element, message, searchDone, searchEntry, searchReference } from "./ber-message.ts";
import { startFakeDirectory } from "./fake-directory.ts";

const tag = fc.constantFrom(0x02, 0x04, 0x0a, 0x30, 0x31, 0x61, 0x64, 0x65, 0x73, 0x78, 0x79, 0x80, 0x81, 0xa0, 0xa3);

/** Elements in elements, as some grammar might have them. */
const anyElement: fc.Arbitrary<Buffer> = fc.letrec<{ tree: Buffer }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 18, depthSize: "small" },
    fc.tuple(tag, fc.uint8Array({ maxLength: 40 })).map(([of, bytes]) => element(of, bytes)),
    fc.tuple(tag, fc.array(tie("tree"), { maxLength: 4 })).map(([of, parts]) => element(of, ...parts)),
  ),
})).tree;

const text = fc.string({ unit: fc.constantFrom("a", "=", ",", "é", "\0", "cn=x") });
const attributes = fc.array(fc.tuple(text, fc.array(text, { maxLength: 4 })), { maxLength: 4 });
const number = fc.integer({ min: 0, max: 0x7fff_ffff });

const sound: fc.Arbitrary<Buffer> = fc.oneof(
  fc.tuple(number, text, attributes).map(([id, dn, pairs]) => searchEntry(id, dn, pairs)),
  fc.tuple(number, fc.nat(120)).map(([id, code]) => searchDone(id, code)),
  fc.tuple(number, fc.nat(120), text).map(([id, code, said]) => bindResponse(id, code, said)),
  fc.tuple(number, text).map(([id, url]) => searchReference(id, url)),
  fc
    .tuple(fc.nat(300), anyElement, fc.array(anyElement, { maxLength: 2 }))
    .map(([id, operation, rest]) => message(id, operation, ...rest)),
);

type Mutation = (bytes: Buffer) => Buffer;
const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (bytes: Buffer, where: number): number => Math.min(bytes.length - 1, Math.floor(where * bytes.length));

/** Changes bytes, leaves some out, doubles some, and puts others in between. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 6 })).map(
    ([where, bytes]): Mutation =>
      (stream) => {
        const changed = Buffer.from(stream);
        if (stream.length > 0) changed.set(bytes.subarray(0, stream.length - at(stream, where)), at(stream, where));
        return changed;
      },
  ),
  fc.tuple(place, place).map(
    ([from, to]): Mutation =>
      (stream) =>
        Buffer.concat([
          stream.subarray(0, at(stream, Math.min(from, to))),
          stream.subarray(at(stream, Math.max(from, to))),
        ]),
  ),
  fc.tuple(place, place).map(
    ([from, to]): Mutation =>
      (stream) =>
        Buffer.concat([
          stream.subarray(0, at(stream, Math.max(from, to))),
          stream.subarray(at(stream, Math.min(from, to))),
        ]),
  ),
  fc.tuple(place, fc.uint8Array({ maxLength: 8 })).map(
    ([where, bytes]): Mutation =>
      (stream) =>
        Buffer.concat([stream.subarray(0, at(stream, where)), bytes, stream.subarray(at(stream, where))]),
  ),
  fc.constantFrom<Mutation>((stream) => stream),
);

const anyStream = fc
  .tuple(fc.array(sound, { maxLength: 6 }), fc.array(mutation, { maxLength: 3 }))
  .map(([messages, mutations]) => mutations.reduce<Buffer>((bytes, mutate) => mutate(bytes), Buffer.concat(messages)));

function split(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => Math.floor(cut * stream.length)).sort((a, b) => a - b), stream.length];
  return places.slice(1).map((end, index) => Buffer.from(stream.subarray(places[index], end)));
}

/** The messages that are read, and the fault that ends them; nothing else may be thrown. */
function readAll(chunks: readonly Buffer[]): { readonly messages: readonly Message[]; readonly fault: string } {
  const reader = createMessageReader();
  const messages: Message[] = [];
  for (const chunk of chunks) {
    const fault = faultOf(() => messages.push(...reader.read(chunk)));
    if (fault !== "") return { messages, fault };
  }
  return { messages, fault: "" };
}

function faultOf(act: () => unknown): string {
  try {
    act();
    return "";
  } catch (error) {
    expect(error).toMatchObject({ name: "DirectoryError", kind: expect.stringMatching(/^(?:protocol|content)$/) });
    return error instanceof Error ? error.message : "";
  }
}

describe("a search", () => {
  it("ends with a result or a fault, and after a fault with its connection, whatever comes in response", async () => {
    let response: Buffer = Buffer.alloc(0);
    const directory = await startFakeDirectory(() => split(response, [0.3, 0.7]));
    const { port } = new URL(directory.url);
    const query = { base: "dc=x", scope: "sub", filter: anything, attributes: ["cn"], sizeLimit: 3 } as const;
    // The first request has the number 1, so that much of this is a response to it.
    const toOne = fc.tuple(
      fc.array(
        fc.oneof(
          sound,
          text.map((dn) => searchEntry(1, dn, { cn: [dn] })),
          fc.constant(searchReference(1, "ldap://x")),
        ),
        { maxLength: 4 },
      ),
      fc.array(mutation, { maxLength: 2 }),
    );
    try {
      await fc.assert(
        fc.asyncProperty(toOne, async ([messages, mutations]) => {
          response = mutations.reduce<Buffer>(
            (bytes, mutate) => mutate(bytes),
            Buffer.concat([...messages, searchDone(1)]),
          );
          const socket = connect(Number(port), "127.0.0.1");
          await once(socket, "connect");
          const session = createSession(socket, directory.url, 50);
          try {
            const { entries } = await session.search(query, new AbortController().signal);
            expect(entries.length).toBeLessThanOrEqual(3);
          } catch (error) {
            expect(error).toMatchObject({ name: "DirectoryError" });
            expect([session.usable, socket.destroyed]).toEqual([false, true]);
          } finally {
            session.close();
          }
        }),
        { numRuns: 300 },
      );
    } finally {
      await directory.close();
    }
  });
});

describe("the bytes of a connection", () => {
  it("are messages or a fault, and so is what the messages hold, whatever comes", () => {
    fc.assert(
      fc.property(anyStream, fc.array(place, { maxLength: 12 }), (stream, cuts) => {
        const { messages, fault } = readAll(split(stream, cuts));
        const length = messages.reduce((sum, { bytes }) => sum + bytes.length, 0);
        // In their order, without a gap, and not beyond what has come.
        expect(Buffer.concat(messages.map(({ bytes }) => bytes)).equals(stream.subarray(0, length))).toBe(true);
        if (fault === "") expect(stream.length - length).toBeGreaterThanOrEqual(0);
        for (const received of messages)
          for (const read of [readEntry, readResult, readBindResult]) faultOf(() => read(received));
      }),
      { numRuns: 5000 },
    );
  });

  it("are the same messages however they are cut, and the same fault behind them", () => {
    fc.assert(
      fc.property(anyStream, fc.array(place, { maxLength: 12 }), (stream, cuts) => {
        const byteByByte = readAll([...stream].map((byte) => Buffer.from([byte])));
        const cut = readAll(split(stream, cuts));
        // What is wrong with a message may be found before those are handed out that came in the same chunk.
        if (cut.fault === "")
          expect(cut.messages.map(({ bytes }) => bytes)).toEqual(byteByByte.messages.map(({ bytes }) => bytes));
        expect(cut.fault).toBe(byteByByte.fault);
      }),
      { numRuns: 2000 },
    );
  });

  it("are read as they were sent where nothing is changed", () => {
    fc.assert(
      fc.property(number, text, attributes, (id, dn, pairs) => {
        const { messages } = readAll([searchEntry(id, dn, pairs)]);
        const [only] = messages;
        if (only === undefined) throw new Error("there is one");
        expect(only.id).toBe(id);
        const entry = readEntry(only);
        expect(entry.dn).toBe(Buffer.from(dn).toString());
        for (const [name] of pairs) {
          const values = pairs.flatMap(([other, list]) => (other.toLowerCase() === name.toLowerCase() ? list : []));
          expect(entry.text(name)).toEqual(values);
        }
      }),
    );
  });

  // What takes the square of the length would take hours.
  it.each([
    ["one long message", Buffer.from(searchEntry(1, "cn=x", { cn: ["x".repeat(4_000_000)] }))],
    ["many short ones", Buffer.concat(Array.from({ length: 200_000 }, () => searchDone(1)))],
  ])("are read in time where they come one by one, and are %s", (_, stream) => {
    const reader = createMessageReader();
    let length = 0;
    for (let index = 0; index < stream.length; index++) {
      for (const { bytes } of reader.read(stream.subarray(index, index + 1))) length += bytes.length;
    }
    expect(length).toBe(stream.length);
  });

  it("make an entry in time where an attribute comes 100,000 times", () => {
    const entry = createEntry(
      "cn=x",
      Array.from({ length: 100_000 }, () => ["memberOf", [Buffer.from("cn=x")]] as const),
    );
    expect(entry.text("memberof")).toHaveLength(100_000);
  });

  it("make an entry where an attribute has more values than a call has room for", () => {
    const values = Array.from({ length: 500_000 }, () => Buffer.from("x"));
    expect(createEntry("cn=x", [["cn", values] as const, ["CN", values] as const]).text("cn")).toHaveLength(1_000_000);
  });
});

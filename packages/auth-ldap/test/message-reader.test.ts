import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMessageReader, type Message } from "../src/protocol/message-reader.ts";
import { readBindResult, readEntry, readResult } from "../src/protocol/responses.ts";
import { bindResponse, element, message, searchDone, searchEntry } from "./ber-message.ts";

const stream = Buffer.concat([
  searchEntry(3, "cn=a", { cn: ["a"], description: ["x".repeat(300)] }),
  searchEntry(3, "cn=b", { cn: ["b", "c"] }),
  searchDone(3, 4),
  bindResponse(4, 49, "no"),
]);

function readAll(chunks: readonly Buffer[]): Message[] {
  const reader = createMessageReader();
  return chunks.flatMap((chunk) => [...reader.read(chunk)]);
}

describe("the messages of a connection", () => {
  it("are the same however the bytes arrive", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const chunks = places.slice(1).map((end, index) => stream.subarray(places[index], end));
        const messages = readAll(chunks);
        expect(messages.map(({ id, operation }) => [id, operation.tag])).toEqual([
          [3, 0x64],
          [3, 0x64],
          [3, 0x65],
          [4, 0x61],
        ]);
        expect(Buffer.concat(messages.map(({ bytes }) => bytes)).equals(stream)).toBe(true);
      }),
    );
  });

  it("are read as what they say", () => {
    const [first, second, done, bind] = readAll([stream]);
    if (!first || !second || !done || !bind) throw new Error("there are four");
    expect(readEntry(first).dn).toBe("cn=a");
    expect(readEntry(second).text("CN")).toEqual(["b", "c"]);
    expect(readEntry(second).text("dn")).toEqual([]);
    expect(readResult(done)).toEqual({ code: 4, diagnostic: "" });
    expect(readBindResult(bind)).toEqual({ code: 49, diagnostic: "no", policy: undefined });
  });

  it("are cut where a server says a lot about a result", () => {
    const [only] = readAll([bindResponse(1, 49, "no ".repeat(100_000))]);
    if (!only) throw new Error("there is one");
    expect(readResult(only).diagnostic).toHaveLength(1024);
  });

  it("keep the DN of an entry apart from an attribute of that name", () => {
    const [only] = readAll([searchEntry(1, "cn=true", { dn: ["cn=false"] })]);
    if (!only) throw new Error("there is one");
    expect(readEntry(only).dn).toBe("cn=true");
  });

  it.each([
    ["a byte of something else", Buffer.from("HTTP/1.1")],
    ["a length without end", Buffer.from([0x30, 0x80, 0, 0])],
    // A reader that trusts inner lengths waits for ever in a loop here.
    ["an inner length beyond the message", Buffer.from("300e02010261090a0131040004008705", "hex")],
    ["no operation", element(0x30, element(0x02, Buffer.from([1])))],
    ["no number", element(0x30, element(0x04, Buffer.from([1])), element(0x61))],
    ["a negative number", element(0x30, element(0x02, Buffer.from([0xff])), element(0x61))],
    [
      "nesting beyond measure",
      message(
        1,
        Array.from({ length: 20 }).reduce<Buffer>((inner) => element(0x61, inner), element(0x61)),
      ),
    ],
  ])("are refused with %s", (_, bytes) => {
    expect(() => readAll([bytes])).toThrow(expect.objectContaining({ kind: "protocol" }));
  });

  it.each([
    ["a length beyond measure", Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])],
    ["a length just beyond the bound", Buffer.from([0x30, 0x83, 0x40, 0x00, 0x00])],
    ["more elements than the bound", message(1, element(0x64, Buffer.alloc(200_002)))],
  ])("are too much with %s", (_, bytes) => {
    expect(() => readAll([bytes])).toThrow(expect.objectContaining({ kind: "content" }));
  });
});

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { createServer } from "node:net";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { readResponse } from "./read-response.ts";

const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

describe("a response", () => {
  test("of known length is complete with its last byte", () => {
    expect(readResponse(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234"])).toMatchObject({
      body: "1234",
      complete: false,
    });
    expect(readResponse(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234", "5"])).toMatchObject({
      body: "12345",
      complete: true,
      reusable: true,
    });
  });

  test.each([
    ["one", "5\r\nfirst\r\n0\r\n\r\n", "first"],
    [
      "several, of sizes in any case and with zeros before",
      "A\r\n0123456789\r\n00b\r\n0123456789a\r\n0\r\n\r\n",
      "01234567890123456789a",
    ],
    ["extensions and trailers", '5 ; a="b;c"\r\nfirst\r\n0;last\r\nX: y\r\nZ:\r\n\r\n', "first"],
    ["line ends in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"],
    ["none", "0\r\n\r\n", ""],
  ])("in chunks is decoded: %s", (_, bytes, body) => {
    expect(readResponse([chunked + bytes])).toMatchObject({ body, complete: true, reusable: true, fault: undefined });
  });

  test.each([
    ["no size", "\r\nfirst\r\n"],
    ["a size that is none", "5x\r\nfirst\r\n"],
    ["a sign", "+5\r\nfirst\r\n"],
    ["a prefix", "0x5\r\nfirst\r\n"],
    ["a blank before the size", " 5\r\nfirst\r\n"],
    ["a size beyond all numbers", `${"f".repeat(14)}\r\n`],
    ["a size that ends in a line feed", "5\nfirst\r\n"],
    ["a carriage return in an extension", "5;\r\r\nfirst\r\n"],
    ["an extension without end", `5;${"x".repeat(5000)}`],
    ["data beyond the size", "5\r\nfirstX\r\n0\r\n\r\n"],
    ["data that ends in a line feed", "5\r\nfirst\n0\r\n\r\n"],
    ["another byte in place of the line feed", "5\r\nfirst\rX0\r\n\r\n"],
    ["a trailer that is none", "0\r\nX\r\n\r\n"],
    ["a trailer that is folded", "0\r\nX: y\r\n z\r\n\r\n"],
    ["trailers without end", `0\r\n${"X: y\r\n".repeat(4000)}`],
  ])("in chunks is refused: %s", (_, bytes) => {
    expect(readResponse([chunked + bytes])).toMatchObject({ complete: false, fault: expect.any(String) });
  });

  test("without framing is complete when the connection closes, and only then", () => {
    const bytes = "HTTP/1.1 200 OK\r\n\r\nall of it";
    expect(readResponse([bytes])).toMatchObject({ body: "all of it", complete: false });
    expect(readResponse([bytes], { closed: true })).toMatchObject({
      body: "all of it",
      complete: true,
      reusable: false,
    });
  });

  test.each([
    ["in its head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"],
    ["before it began", ""],
    ["in its body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234"],
    ["in a chunk", `${chunked}5\r\n1234`],
    ["after a chunk", `${chunked}5\r\n12345\r\n`],
    ["before the last line end", `${chunked}0\r\n`],
    ["after a hint", "HTTP/1.1 103 Early Hints\r\n\r\n"],
  ])("that ends %s is incomplete", (_, bytes) => {
    expect(readResponse([bytes], { closed: true })).toMatchObject({
      complete: false,
      fault: "the registry closed the connection before the response was complete",
    });
  });

  test("makes its connection unusable where surplus bytes follow", () => {
    const bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345";
    expect(readResponse([`${bytes}6`])).toMatchObject({ body: "12345", complete: true, reusable: false });
    expect(readResponse([bytes, "HTTP/1.1 200 OK\r\n"])).toMatchObject({
      body: "12345",
      complete: true,
      reusable: false,
    });
    expect(readResponse([bytes], { method: "HEAD" })).toMatchObject({ body: "", complete: true, reusable: false });
    expect(readResponse([`${chunked}0\r\n\r\n0`])).toMatchObject({ body: "", complete: true, reusable: false });
  });

  test("follows at most eight interim responses", () => {
    const interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 9\r\n\r\n";
    const final = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const response = readResponse([interim.repeat(8) + final]);
    expect(response).toMatchObject({ body: "ok", complete: true, reusable: true });
    expect(response.head).toMatchObject({ statusCode: 200, headers: { "content-length": "2" } });
    expect(readResponse([interim.repeat(9) + final]).fault).toBe("too many interim responses");
    expect(readResponse(["HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"]).fault).toBe(
      "too many interim responses",
    );
  });

  test("has a head of at most 32 KiB, in any chunks", () => {
    const head = (length: number): string => {
      const bare = "HTTP/1.1 204 No Content\r\nX: ";
      return `${bare}${"x".repeat(length - bare.length)}`;
    };
    expect(readResponse([head(32_768), "\r\n\r\n"])).toMatchObject({ complete: true });
    expect(readResponse([`${head(32_769)}\r\n\r\n`]).fault).toBe("the head is too long");
    expect(readResponse([head(20_000), "x".repeat(20_000)]).fault).toBe("the head is too long");
  });

  test.each([
    "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "HTTP/1.1 200 OK\r\nX: y\n",
    "HTTP/1.1 200 OK\r\nX: y\r\n\n",
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\n",
  ])("with a bare line feed in its head is refused at once: %j", (bytes) => {
    for (const chunks of [[bytes], [...bytes]]) expect(readResponse(chunks).fault).toContain("bare line feed");
  });

  test.each(["SSH-2.0-OpenSSH", "\r\nHTTP/1.1 200 OK", "HTTP/2 200", "<html>"])(
    "that begins with %j is refused at once, not waited for",
    (bytes) => {
      expect(readResponse([bytes]).fault).toBe("the response is not HTTP/1");
      expect(readResponse([...bytes]).fault).toBe("the response is not HTTP/1");
    },
  );
});

/** Answers that are right, and such as are nearly so. */
const responses = fc
  .record({
    status: fc.constantFrom(
      "HTTP/1.1 200 OK",
      "HTTP/1.1 204 No Content",
      "HTTP/1.1 404 Not Found",
      "HTTP/1.0 200 OK",
      "HTTP/1.1 304",
    ),
    headers: fc.array(
      fc.constantFrom(
        "Content-Length: 5",
        "Content-Length: 0",
        "Content-Length: 5, 5",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Connection: close",
        "X: y",
        "X : y",
        " folded",
        'ETag: "a"',
        "Link: </a>; rel=next",
      ),
      { maxLength: 4 },
    ),
    end: fc.constantFrom("\r\n", "\r\n", "\r\n", "\n"),
    body: fc.constantFrom(
      "",
      "12345",
      "123456",
      "1234",
      "5\r\n12345\r\n0\r\n\r\n",
      "5;x\r\n12345\r\n0\r\nA: b\r\n\r\n",
      "5\r\n12345",
      "5\n12345\n0\n\n",
      "0\r\n\r\n",
    ),
  })
  .map(({ status, headers, end, body }) => [status, ...headers, "", ""].join(end) + body);

test("a response parses to the same result in any chunks", () => {
  fc.assert(
    fc.property(
      responses,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      fc.boolean(),
      (bytes, lengths, head) => {
        const chunks: string[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const length = lengths[turn % lengths.length] ?? 1;
          chunks.push(bytes.slice(at, at + length));
          at += length;
        }
        const settings = { method: head ? "HEAD" : "GET", closed: true } as const;
        expect(readResponse(chunks, settings)).toEqual(readResponse([bytes], settings));
      },
    ),
    { numRuns: 1000 },
  );
});

test("Node's own client parses every accepted response to the same result", async () => {
  let bytes = "";
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(bytes, "latin1"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  const ask = (method: string): Promise<{ status: number | undefined; headers: object; body: string }> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ host: "127.0.0.1", port, method, agent: false }, (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(chunks).toString("latin1"),
          }),
        );
      });
      request.once("error", reject);
      request.end();
    });

  let whole = 0;
  await fc.assert(
    fc.asyncProperty(responses, fc.constantFrom("GET", "HEAD"), async (generated, method) => {
      const ours = readResponse([generated], { method, closed: true });
      if (!ours.complete || ours.fault !== undefined) return;
      // Of what follows a response, ours takes no notice but to give the connection up; theirs takes offence.
      if (readResponse([generated.slice(0, -1)], { method }).complete) return;
      whole++;
      bytes = generated;
      const theirs = await ask(method);
      expect({ status: ours.head?.statusCode, headers: { ...ours.head?.headers }, body: ours.body }).toEqual(theirs);
    }),
    { numRuns: 600 },
  );
  expect(whole).toBeGreaterThan(20);
});

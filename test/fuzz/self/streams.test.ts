import { describe, expect, test } from "vitest";
import { readResponses } from "../client/response-stream.ts";
import { formOf } from "../registry/form.ts";
import { operationOf } from "../registry/operation.ts";
import { headFaults } from "../registry/received.ts";
import { type ReceivedHead, requestStream } from "../registry/request-stream.ts";

/** Reads requests in chunks of some bytes, and responds each at once. */
function requestsIn(bytes: string, size = bytes.length): { requests: string[]; malformed: string[] } {
  const requests: string[] = [];
  const malformed: string[] = [];
  const stream = requestStream({
    head: () => {},
    complete({ method, target }, body) {
      requests.push(`${method} ${target} ${body}`);
      stream.next();
    },
    malformed: (text) => void malformed.push(text),
  });
  for (let at = 0; at < bytes.length; at += size) stream.read(bytes.slice(at, at + size));
  return { requests, malformed };
}

describe("the registry of the fuzzers reads leniently", () => {
  const smuggled = "GET /b HTTP/1.1\r\nHost: a\r\n\r\n";
  test.each([
    ["a length", "PUT /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", ["PUT /a hi"]],
    ["chunks", "PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n", ["PUT /a hi"]],
    [
      "chunks before a length",
      `PUT /a HTTP/1.1\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      ["PUT /a ", "GET /b "],
    ],
    ["lines that end in LF", `PUT /a HTTP/1.1\nContent-Length: 2\n\nhi${smuggled}`, ["PUT /a hi", "GET /b "]],
    [
      "a size with an extension",
      "PUT /a HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n2 ;a\r\nhi\r\n0\r\n\r\n",
      ["PUT /a hi"],
    ],
  ])("%s", (_, bytes, requests) => {
    for (const size of [1, 7, bytes.length]) expect(requestsIn(bytes, size)).toEqual({ requests, malformed: [] });
  });

  test("a form in the body, whatever white space is around its type", () => {
    const head = (type: string): ReceivedHead => ({
      method: "POST",
      target: "/v2/a/b/blobs/uploads/",
      text: "",
      headers: [["content-type", type]],
    });
    for (const type of ["\u00c2\u00a0application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; a=b"]) {
      const form = formOf(head(type), "mount=c&from=alice/img");
      expect(operationOf("POST", "/v2/a/b/blobs/uploads/", form)).toMatchObject({
        repository: "a/b",
        from: "alice/img",
      });
    }
    expect(formOf(head("application/octet-stream"), "from=alice/img").get("from")).toBeNull();
  });

  test("dot segments and encoded slashes", () => {
    const repository = (target: string) => operationOf("GET", target, new URLSearchParams())?.repository;
    expect(repository("/v2/world/../alice/img/tags/list")).toBe("alice/img");
    expect(repository("/v2/world%2f..%2falice/img/tags/list")).toBe("alice/img");
    expect(repository("/v2/a/manifests/b/manifests/c")).toBe("a/manifests/b");
    expect(repository("/v2/")).toBeUndefined();
  });
});

describe("a head that the gate wrote has a fault", () => {
  const faults = (...lines: string[]): string[] => {
    const text = ["GET / HTTP/1.1", ...lines].join("\r\n");
    const headers = lines.map((line): [string, string] => [line.replace(/:.*/s, "").toLowerCase(), ""]);
    return headFaults({ method: "GET", target: "/", text, headers });
  };
  test.each([
    ["a byte beyond ASCII", ["host: a", "x: \u00e9"]],
    ["a line feed alone", ["host: a\nx: y"]],
    ["a folded line", ["host: a", " b"]],
    ["a header twice", ["host: a", "x: 1", "x: 2"]],
    ["credentials", ["host: a", "authorization: x"]],
    ["two lengths", ["host: a", "content-length: 1", "transfer-encoding: chunked"]],
    ["no host", ["x: y"]],
  ])("%s", (_, lines) => {
    expect(faults(...lines)).not.toEqual([]);
  });

  test("or none", () => {
    expect(faults("host: a", "content-length: 1", "x-real-ip: 127.0.0.1")).toEqual([]);
  });
});

describe("the client of the fuzzers reads strictly", () => {
  const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  test.each([
    ["bytes behind a response", `${ok}more`, ["GET"]],
    ["a response to no request", `${ok}${ok}`, ["GET"]],
    ["a status that is none", ok.replace("200", "099"), ["GET"]],
    ["another protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n", ["GET"]],
    ["a line feed alone", ok.replace("OK\r\n", "OK\nX: y\r\n"), ["GET"]],
    ["two lengths", ok.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\n"), ["GET"]],
    ["a length beside chunks", ok.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n"), ["GET"]],
    ["a size that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ["GET"]],
    ["a body of HEAD", ok, ["HEAD"]],
  ])("%s is a fault", (_, bytes, methods) => {
    expect(readResponses(bytes, methods, true).fault).toBeDefined();
  });

  test("responses in a row, interim ones left out", () => {
    const chunks = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    const bytes = `HTTP/1.1 100 Continue\r\n\r\n${ok}HTTP/1.1 204 No Content\r\n\r\n${chunks}`;
    const { responses, fault } = readResponses(bytes, ["GET", "PUT", "POST"], false);
    expect(fault).toBeUndefined();
    expect(responses.map(({ status, body, complete }) => [status, body, complete])).toEqual([
      [200, "hi", true],
      [204, "", true],
      [201, "hi", true],
    ]);
  });

  test("one that breaks off, as one that is not whole", () => {
    expect(readResponses(ok.slice(0, -1), ["GET"], true).responses).toMatchObject([{ complete: false }]);
  });
});

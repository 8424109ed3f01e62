import { describe, expect, test } from "vitest";
import { alice, connectRaw, exchange, startGate, startRawUpstream, statuses } from "./servers.ts";

const patch = "PATCH /v2/team/app/blobs/uploads/1 HTTP/1.1";
const get = "GET /v2/team/app/tags/list HTTP/1.1";
const host = "Host: registry.example.com";
const authorization = `Authorization: ${alice}`;

async function gateAndUpstream() {
  const upstream = await startRawUpstream();
  const gate = await startGate({ upstream: upstream.port });
  return { gate, upstream };
}

describe("ambiguous requests are refused, and never reach the registry", () => {
  test.each<[name: string, lines: string[]]>([
    [
      "a length beside chunks",
      [patch, host, authorization, "Content-Length: 5", "Transfer-Encoding: chunked", "", "0", "", ""],
    ],
    [
      "chunks beside a length",
      [patch, host, authorization, "Transfer-Encoding: chunked", "Content-Length: 5", "", "0", "", ""],
    ],
    ["two lengths", [patch, host, authorization, "Content-Length: 5", "Content-Length: 6", "", "12345"]],
    ["two equal lengths", [patch, host, authorization, "Content-Length: 5", "Content-Length: 5", "", "12345"]],
    ["a list of lengths", [patch, host, authorization, "Content-Length: 5, 5", "", "12345"]],
    ["a negative length", [patch, host, authorization, "Content-Length: -5", "", "12345"]],
    ["a length with a sign", [patch, host, authorization, "Content-Length: +5", "", "12345"]],
    ["a length in hex", [patch, host, authorization, "Content-Length: 0x5", "", "12345"]],
    ["a blank before a colon", [patch, host, authorization, "Content-Length : 5", "", "12345"]],
    ["two hosts", [get, host, "Host: other", authorization, "", ""]],
    ["no host", [get, authorization, "", ""]],
    ["an empty host", [get, "Host:", authorization, "", ""]],
    ["a host with a path", [get, "Host: registry/x", authorization, "", ""]],
    ["a host with a user", [get, "Host: a@registry", authorization, "", ""]],
    ["two authorizations", [get, host, authorization, "Authorization: Basic Ym9iOmJvYg==", "", ""]],
    ["two of a header that a backend reads", [get, host, "X-Test-User: alice", "X-Test-User: bob", "", ""]],
    ["a folded header", [get, host, authorization, "Accept: a", " b", "", ""]],
    ["a header without a colon", [get, host, authorization, "Accept", "", ""]],
    ["a control in a header", [get, host, authorization, "Accept: a\u0000b", "", ""]],
    ["a line feed alone", [`${get}\n${host}\n${authorization}\n\n`]],
    ["another coding", [patch, host, authorization, "Transfer-Encoding: gzip", "", "x"]],
    ["another coding before chunks", [patch, host, authorization, "Transfer-Encoding: gzip, chunked", "", "0", "", ""]],
    ["chunks twice", [patch, host, authorization, "Transfer-Encoding: chunked, chunked", "", "0", "", ""]],
    ["chunks that are not quite", [patch, host, authorization, "Transfer-Encoding: xchunked", "", "0", "", ""]],
    [
      "two transfer encodings",
      [patch, host, authorization, "Transfer-Encoding: chunked", "Transfer-Encoding: identity", "", "0", "", ""],
    ],
    [
      "chunks in HTTP/1.0",
      [patch.replace("1.1", "1.0"), host, authorization, "Transfer-Encoding: chunked", "", "0", "", ""],
    ],
    [
      "a length beside chunks in HTTP/1.0",
      [
        patch.replace("1.1", "1.0"),
        host,
        authorization,
        "Transfer-Encoding: chunked",
        "Content-Length: 5",
        "",
        "0",
        "",
        "",
      ],
    ],
    ["a body of GET", [get, host, authorization, "Content-Length: 5", "", "12345"]],
    [
      "a body of DELETE",
      ["DELETE /v2/team/app/manifests/v1 HTTP/1.1", host, authorization, "Content-Length: 1", "", "1"],
    ],
    [
      "a form",
      [
        "POST /v2/team/app/blobs/uploads/ HTTP/1.1",
        host,
        authorization,
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Length: 5",
        "",
        "a=b&c",
      ],
    ],
    [
      "an absolute target",
      [`GET http://registry.example.com/v2/team/app/tags/list HTTP/1.1`, host, authorization, "", ""],
    ],
    [
      "an absolute target of another host",
      [`GET http://other/v2/team/app/tags/list HTTP/1.1`, host, authorization, "", ""],
    ],
    ["a method of its own", ["FETCH /v2/team/app/tags/list HTTP/1.1", host, authorization, "", ""]],
    ["HTTP/2 without agreement", ["PRI * HTTP/2.0", "", "SM", "", ""]],
    ["an unknown version", [get.replace("1.1", "3.0"), host, authorization, "", ""]],
    ["a target with a blank", ["GET /v2/team/app /tags/list HTTP/1.1", host, authorization, "", ""]],
    ["a line end in a target", ["GET /v2/team/app/tags/list\rX HTTP/1.1", host, authorization, "", ""]],
  ])("%s", async (_, lines) => {
    const { gate, upstream } = await gateAndUpstream();
    const response = await exchange(gate.port, ...lines);
    expect(statuses(response)).toEqual([expect.any(Number)]);
    expect(statuses(response)[0]).toBeGreaterThanOrEqual(400);
    expect(statuses(response)[0]).toBeLessThan(500);
    expect(upstream.received.join("")).toBe("");
  });

  test("an invalid chunk aborts the connection and the upload", async () => {
    const { gate, upstream } = await gateAndUpstream();
    const response = await exchange(
      gate.port,
      patch,
      host,
      authorization,
      "Transfer-Encoding: chunked",
      "",
      "5",
      "12345",
      "zz",
      "",
    );
    expect(statuses(response).every((status) => status >= 400)).toBe(true);
    expect(upstream.received.join("")).not.toContain("\r\n0\r\n\r\n");
  });

  test("CONNECT gets no tunnel", async () => {
    const { gate, upstream } = await gateAndUpstream();
    const response = await exchange(gate.port, "CONNECT /v2/team/app/tags/list HTTP/1.1", host, authorization, "", "");
    expect(statuses(response)[0] ?? 400).toBeGreaterThanOrEqual(400);
    expect(upstream.received.join("")).toBe("");
  });
});

describe("an upgrade is not forwarded", () => {
  test.each([
    ["to h2c", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]],
    [
      "to a web socket",
      [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      ],
    ],
  ])("%s", async (_, headers) => {
    const { gate, upstream } = await gateAndUpstream();
    const response = await exchange(gate.port, get, host, authorization, ...headers, "", "");
    expect(statuses(response)).toEqual([200]);
    expect(upstream.received.join("")).not.toMatch(/upgrade|http2|websocket/i);
  });
});

describe("several requests on one connection", () => {
  test("are authorized one by one, and get their responses in order", async () => {
    const { gate, upstream } = await gateAndUpstream();
    const client = await connectRaw(gate.port);
    const one = (target: string, more: string[] = []): string =>
      [`GET ${target} HTTP/1.1`, host, ...more, "", ""].join("\r\n");
    client.write(
      one("/v2/team/app/tags/list", [authorization]) +
        one("/v2/team/app/tags/list") +
        one("/v2/Team/app/tags/list", [authorization]) +
        one("/v2/team/other/tags/list", [authorization]),
    );
    const response = await client.until(/(?:HTTP\/1\.1 [\s\S]*){4}\r\n\r\n$/);
    expect(statuses(response)).toEqual([200, 401, 400, 200]);
    expect(upstream.received.join("").match(/^GET .*/gm)).toEqual([
      "GET /v2/team/app/tags/list HTTP/1.1",
      "GET /v2/team/other/tags/list HTTP/1.1",
    ]);
  });

  test("are not smuggled in a body", async () => {
    const { gate, upstream } = await gateAndUpstream();
    const inner = `GET /v2/secret/app/tags/list HTTP/1.1\r\n${host}\r\n\r\n`;
    const client = await connectRaw(gate.port);
    client.write([patch, host, authorization, `Content-Length: ${inner.length}`, "", inner].join("\r\n"));
    await client.until(/\r\n\r\n/);
    const [received = ""] = upstream.received;
    expect(received).toContain(`content-length: ${inner.length}\r\n`);
    expect(statuses(client.text())).toEqual([200]);
    expect(gate.records).toHaveLength(1);
  });
});

test("drops trailers", async () => {
  const { gate, upstream } = await gateAndUpstream();
  const client = await connectRaw(gate.port);
  client.write(
    [
      patch,
      host,
      authorization,
      "Transfer-Encoding: chunked",
      "Trailer: X-Forwarded-User",
      "",
      "5",
      "12345",
      "0",
      "X-Forwarded-User: root",
      "Authorization: Basic cm9vdDpyb290",
      "",
      "",
    ].join("\r\n"),
  );
  await client.until(/\r\n\r\n/);
  expect(upstream.received[0]).toMatch(/\r\n\r\n5\r\n12345\r\n0\r\n\r\n$/);
  expect(upstream.received[0]).not.toMatch(/trailer|root|x-forwarded-user/i);
});

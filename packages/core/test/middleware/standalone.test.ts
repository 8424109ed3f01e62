import fc from "fast-check";
import { expect, test } from "vitest";
import type { RequestRecord } from "../../src/index.ts";
import { alice, connectRaw, startGate, startRawUpstream, type TestGate } from "./servers.ts";

const digest = `sha256:${"a".repeat(64)}`;

const method = fc.constantFrom(
  "GET",
  "GET",
  "GET",
  "GET",
  "GET",
  "GET",
  "HEAD",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
);
const target = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("/v2/team/app/manifests/latest", `/v2/team/app/blobs/${digest}`) },
  fc.constantFrom(
    "/v2/",
    "/v2/team/app/manifests/latest",
    `/v2/team/app/manifests/${digest}`,
    `/v2/team/app/blobs/${digest}`,
    "/v2/team/app/tags/list?n=2",
    "/v2/other/app/tags/list",
    "/v2/team/app/blobs/uploads/",
    "/v2/team/app/blobs/uploads/some-upload",
    "/v2/_catalog",
    "/v2/team/App/tags/list",
  ),
  fc.string({ maxLength: 20, unit: fc.constantFrom(..."abAB/.%2eF?&=") }).map((text) => `/v2/${text}`),
);
const login = fc.oneof(
  { weight: 9, arbitrary: fc.constant(alice) },
  fc.constantFrom("Basic YTpi", "Bearer x", undefined),
);
const usual = fc.array(
  fc.constantFrom(
    "Accept: application/vnd.oci.image.manifest.v1+json",
    "Accept-Encoding: gzip",
    'If-None-Match: W/"1"',
    "Range: bytes=0-1",
    "User-Agent: docker/28.0",
    "X-Request-Id: one-of-the-proxys",
    "X-Request-Id: not an id",
    "X-Forwarded-For: 192.0.2.7",
    "X-Forwarded-Proto: https",
    "Cookie: a=b",
  ),
  { maxLength: 4 },
);
const odd = fc.array(
  fc.constantFrom(
    "Accept: text/(",
    "User-Agent: docker/1.5.0",
    "Content-Type: application/octet-stream",
    "Content-Type: application/x-www-form-urlencoded",
    "Sec-Fetch-Site: cross-site",
    "X-Test-User: bob",
    "Authorization: Basic YTpi",
    "Expect: nothing",
  ),
  { maxLength: 2 },
);
const given = fc.oneof({ weight: 3, arbitrary: usual }, odd);
const body = fc.constantFrom("", "", "", "", "", "", "{}", "x".repeat(40_000));

const status = fc.constantFrom(
  200,
  200,
  200,
  200,
  200,
  200,
  201,
  202,
  204,
  206,
  304,
  307,
  400,
  401,
  404,
  416,
  429,
  500,
  503,
);
const told = fc.uniqueArray(
  fc.constantFrom(
    "Content-Type: application/vnd.oci.image.manifest.v1+json",
    "content-type: text/\xe9",
    `Docker-Content-Digest: ${digest}`,
    "Docker-Distribution-Api-Version: canary/1",
    'ETag: "1"',
    "Vary: Accept",
    "Date: Sat, 28 Nov 2026 08:00:00 GMT",
    "Cache-Control: no-cache",
    "Set-Cookie: a=b",
    "Server: canary",
    'Link: </v2/team/app/tags/list?n=2&last=v1>; rel="next"',
    'Link: <://>; rel="next"',
    "Location: /v2/team/app/blobs/uploads/some-upload?_state=abc",
    "Location: https://storage.example.com/blob",
    "Location: //[",
    "RateLimit-Limit: 100;w=21600",
    'Warning: 299 - "one"',
    'WARNING: 299 - "two"',
    "X-Content-Type-Options: nosniff",
    "Strict-Transport-Security: max-age=1",
    "Retry-After: 7",
    "Connection: close",
    "Broken header",
  ),
  { maxLength: 8 },
);
const content = fc.constantFrom("", "{}", "y".repeat(1500), "z".repeat(16_384), "w".repeat(70_000));
const framing = fc.constantFrom("length", "length", "length", "chunked", "until close", "too short", "too long");
const response = fc.record({ status, told, content, framing, delayed: fc.boolean() });
const request = fc.record({ method, target, login, given, body });

type Response = typeof response extends fc.Arbitrary<infer T> ? T : never;
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

/** The parts in which the registry sends it. */
function partsOf({ status: code, told: lines, content: text, framing: how }: Response, toHead: boolean): string[] {
  const empty = toHead || code === 204 || code === 304;
  const frame = {
    length: `Content-Length: ${text.length}`,
    chunked: "Transfer-Encoding: chunked",
    "until close": "X-Close: yes",
    "too short": `Content-Length: ${text.length + 1}`,
    "too long": `Content-Length: ${Math.max(0, text.length - 1)}`,
  }[how];
  const head = `HTTP/1.1 ${code} Any\r\n${[...lines, frame].join("\r\n")}\r\n\r\n`;
  if (empty) return [head];
  return [
    head,
    how === "chunked" ? `${text.length.toString(16)}\r\n${text}\r\n${text === "" ? "" : "0\r\n\r\n"}` : text,
  ];
}

function textOf({ method: name, target: path, login: header, given: lines, body: text }: Request): string {
  const head = [
    `${name} ${path} HTTP/1.1`,
    "Host: registry.example.com",
    "Connection: close",
    ...(header === undefined ? [] : [`Authorization: ${header}`]),
    ...lines,
    ...(text === "" ? [] : [`Content-Length: ${text.length}`]),
  ];
  return `${head.join("\r\n")}\r\n\r\n${text}`;
}

/**
 * A body in chunks as one: where it is parted is a matter of what has arrived at the same time.
 *
 * @param late Whether the end of the body came by itself: whether the gate knew its length is a matter of that, too.
 */
function inOneChunk(bytes: string, late: boolean): string {
  const [head = "", ...rest] = bytes.split("\r\n\r\n");
  if (!/\r\nTransfer-Encoding: chunked/i.test(head)) return bytes;
  const framed = rest.join("\r\n\r\n");
  let body = "";
  let at = 0;
  let size = -1;
  while (size !== 0) {
    const line = /^([0-9a-f]+)\r\n/.exec(framed.slice(at, at + 20));
    if (line === null) break;
    size = Number.parseInt(line[1] ?? "", 16);
    body += framed.slice(at + line[0].length, at + line[0].length + size);
    at += line[0].length + size + 2;
  }
  const left = framed.slice(at);
  if (!late || size !== 0 || left !== "") return `${head}\r\n\r\n${body} and then ${left}`;
  return `${head.replace(/Transfer-Encoding: chunked/i, `Content-Length: ${body.length}`)}\r\n\r\n${body}`;
}

/** Without what differs from one time to the next. */
function comparable(bytes: string, late = false): string {
  return inOneChunk(bytes, late)
    .replace(/\r\nDate: [^\r]*/, "\r\nDate: now")
    .replace(/~[\w-]{40,}/g, "~sealed")
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "some-id");
}

function timeless(records: readonly RequestRecord[]): unknown {
  return records.map((record) => ({
    ...record,
    requestId: comparable(record.requestId),
    milliseconds: undefined,
    gateMilliseconds: undefined,
    upstreamMilliseconds: record.upstreamMilliseconds === undefined,
  }));
}

test("a gate alone sends the bytes and keeps the record of one within an app", { timeout: 60_000 }, async () => {
  let current: Response | undefined;
  const upstream = await startRawUpstream((socket, head) => {
    if (current === undefined) return;
    const [first = "", ...rest] = partsOf(current, head.startsWith("HEAD"));
    const { framing: how, delayed } = current;
    const finish = (): void => {
      // A response without a body is whole, and the connection may have the next request already.
      if (rest.length === 0) return;
      for (const part of rest) socket.write(part, "latin1");
      if (how === "until close") socket.end();
      // Only so late that what came before has left: what the client gets of it is a matter of luck otherwise.
      if (how === "too short") setTimeout(() => socket.end(), 20);
    };
    if (delayed) {
      socket.write(first, "latin1");
      setTimeout(finish, 2);
    } else {
      socket.cork();
      socket.write(first, "latin1");
      finish();
      socket.uncork();
    }
  });
  const settings = {
    upstream: { url: `http://127.0.0.1:${upstream.port}`, maxConnections: 4, readTimeout: "5s" },
    trustedProxies: ["127.0.0.1"],
    access: [{ subjects: ["authenticated" as const], repositories: ["team/**"], actions: ["pull", "push"] as const }],
  } as const;
  const [within, alone] = [await startGate(settings), await startGate({ ...settings, standalone: true })];
  let alike = 0;

  async function exchange(gate: TestGate, text: string): Promise<{ bytes: string; records: unknown }> {
    const client = await connectRaw(gate.port);
    client.write(text);
    const bytes = await client.ended();
    client.socket.destroy();
    await expect.poll(() => gate.records.length).toBe(1);
    return { bytes: comparable(bytes, current?.delayed), records: timeless(gate.records.splice(0)) };
  }

  await fc.assert(
    fc.asyncProperty(request, response, async (asked, answer) => {
      current = answer;
      const text = textOf(asked);
      const one = await exchange(within, text);
      const other = await exchange(alone, text);
      expect(other).toEqual(one);
      if (/^HTTP\/1\.1 2/.test(one.bytes)) alike++;
    }),
    { numRuns: 300 },
  );
  expect(alike).toBeGreaterThan(10);
});

import { addressSet } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clientOf } from "../../src/client/client.ts";
import { forwardedHeaders } from "../../src/forward/forwarded-headers.ts";
import { upstreamHeaders } from "../../src/forward/request-headers.ts";
import type { Operation } from "../../src/route/route.ts";
import { type Head, receivedRequest } from "../received-request.ts";

/** A method of each operation. */
const methods: Readonly<Record<Operation, string>> = {
  ping: "GET",
  "list-repositories": "GET",
  "list-tags": "GET",
  "list-referrers": "GET",
  "get-manifest": "GET",
  "put-manifest": "PUT",
  "delete-manifest": "DELETE",
  "get-blob": "GET",
  "delete-blob": "DELETE",
  "start-upload": "POST",
  "get-upload": "GET",
  "continue-upload": "PATCH",
  "finish-upload": "PUT",
  "cancel-upload": "DELETE",
};
const operations = Object.keys(methods).filter((name): name is Operation => name in methods);
const uploads = ["start-upload", "continue-upload", "finish-upload"] as const;
const writes = [...uploads, "put-manifest"] as const;
const octets = "application/octet-stream";
const form = "application/x-www-form-urlencoded";
const length = ["Content-Length", "5"] as const;

async function built(operation: Operation, head: Head) {
  const request = await receivedRequest({ method: methods[operation], ...head, address: "203.0.113.7" });
  return upstreamHeaders(request, clientOf(request, addressSet([])), new Set(), operation);
}

async function sent(operation: Operation, head: Head) {
  const { headers, refusal } = await built(operation, head);
  expect(refusal).toBeUndefined();
  return headers ?? {};
}

/** Every header that some operation forwards, with a value that travels as it is. */
const usual: Readonly<Record<string, string>> = {
  accept: "a/b",
  "accept-encoding": "gzip",
  "content-range": "0-4",
  "content-type": octets,
  "if-match": '"a"',
  "if-modified-since": "Sun, 06 Nov 1994 08:49:37 GMT",
  "if-none-match": '"a"',
  "if-range": '"a"',
  "if-unmodified-since": "Sun, 06 Nov 1994 08:49:37 GMT",
  "oci-namespace": "mirror.example.com",
  range: "bytes=0-1",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "a=b",
  "user-agent": "x",
  "x-request-id": "7",
};
const neverSent = [
  "accept-language",
  "cache-control",
  "cookie",
  "expect",
  "forwarded",
  "pragma",
  "te",
  "via",
  "x-other",
];

test("forwards the headers that an operation needs, and no others", async () => {
  const said = [...Object.entries(usual), ...neverSent.map((name) => [name, "x"] as const)];
  for (const operation of operations) {
    const body = writes.some((write) => write === operation) ? [length] : [];
    const { host, ...headers } = await sent(operation, { headers: [...said, ...body] });
    const own = ["x-real-ip", "x-forwarded-for", "x-forwarded-proto", ...(body.length > 0 ? ["content-length"] : [])];
    const needed = forwardedHeaders[operation].map(({ name }) => name);
    expect(Object.keys(headers).sort(), operation).toEqual([...needed, ...own].sort());
    expect(host).toBe("registry.example.com");
    for (const name of needed) expect(headers[name], name).toBe(usual[name]);
  }
});

test("an empty header counts as missing", async () => {
  for (const operation of operations) {
    const body = writes.some((write) => write === operation) ? [length] : [];
    const empty = Object.keys(usual).map((name) => [name, ""] as const);
    const nothing = await sent(operation, { headers: body });
    expect(await sent(operation, { headers: [...empty, ...body] })).toEqual(nothing);
  }
});

describe("a body", () => {
  test("keeps its length, and never its transfer coding", async () => {
    for (const operation of writes) {
      const known = await sent(operation, { headers: [["Content-Type", octets], length] });
      expect(known).toMatchObject({ "content-type": octets, "content-length": "5" });
      const chunked = await sent(operation, {
        headers: [
          ["Content-Type", octets],
          ["Transfer-Encoding", "chunked"],
        ],
      });
      expect(chunked).toMatchObject({ "content-type": octets });
      expect(chunked).not.toHaveProperty("content-length");
      expect(chunked).not.toHaveProperty("transfer-encoding");
    }
  });

  test("of a blob is always application/octet-stream", async () => {
    for (const operation of uploads) {
      for (const type of ["text/plain;charset=UTF-8", "application/json", "APPLICATION/OCTET-STREAM", ""]) {
        const headers = await sent(operation, { headers: [["Content-Type", type], length] });
        expect(headers["content-type"], type).toBe(octets);
      }
      expect((await sent(operation, { headers: [length] }))["content-type"]).toBe(octets);
    }
  });

  test("of a manifest has the client's Content-Type, or none", async () => {
    const type = "application/vnd.oci.image.manifest.v1+json";
    const typed = await sent("put-manifest", { headers: [["Content-Type", `${type}; charset=utf-8`], length] });
    expect(typed["content-type"]).toBe(type);
    expect(await sent("put-manifest", { headers: [length] })).not.toHaveProperty("content-type");
  });

  test.each([form, `${form};a`, "multipart/form-data; boundary=x", `\u00a0${form}`, "a/b, c/d", "x"])(
    "of the type %j is refused with 415",
    async (type) => {
      for (const operation of writes) {
        const { refusal } = await built(operation, { headers: [["Content-Type", type], length] });
        expect(refusal, operation).toMatchObject({ status: 415, code: "UNSUPPORTED" });
      }
    },
  );

  test("that is missing has neither type nor range, and Content-Length: 0 where the method allows one", async () => {
    const said = [
      ["Content-Type", form],
      ["Content-Range", "nonsense"],
    ] as const;
    for (const operation of operations) {
      const headers = await sent(operation, { headers: said });
      expect(headers).not.toHaveProperty("content-type");
      expect(headers).not.toHaveProperty("content-range");
      expect(headers["content-length"], operation).toBe(/^P/.test(methods[operation]) ? "0" : undefined);
    }
  });
});

describe("an invalid value", () => {
  const refused: readonly (readonly [Operation, name: string, status: number, code: string])[] = [
    ["get-manifest", "accept", 400, "UNSUPPORTED"],
    ["get-manifest", "oci-namespace", 400, "UNSUPPORTED"],
    ["get-blob", "oci-namespace", 400, "UNSUPPORTED"],
    ["list-tags", "oci-namespace", 400, "UNSUPPORTED"],
    ["list-referrers", "oci-namespace", 400, "UNSUPPORTED"],
    ["get-blob", "range", 400, "UNSUPPORTED"],
    ["get-blob", "if-range", 400, "UNSUPPORTED"],
    ["put-manifest", "if-match", 400, "UNSUPPORTED"],
    ["put-manifest", "if-none-match", 400, "UNSUPPORTED"],
    ["put-manifest", "if-unmodified-since", 400, "UNSUPPORTED"],
    ["put-manifest", "content-type", 415, "UNSUPPORTED"],
    ["delete-manifest", "if-match", 400, "UNSUPPORTED"],
    ["delete-manifest", "if-unmodified-since", 400, "UNSUPPORTED"],
    ["delete-blob", "if-match", 400, "UNSUPPORTED"],
    ["delete-blob", "if-unmodified-since", 400, "UNSUPPORTED"],
    ["start-upload", "content-type", 415, "UNSUPPORTED"],
    ["continue-upload", "content-type", 415, "UNSUPPORTED"],
    ["continue-upload", "content-range", 400, "BLOB_UPLOAD_INVALID"],
    ["finish-upload", "content-type", 415, "UNSUPPORTED"],
    ["finish-upload", "content-range", 400, "BLOB_UPLOAD_INVALID"],
  ];

  test("is refused where the operation depends on it, and dropped otherwise", async () => {
    for (const operation of operations) {
      const body = writes.some((write) => write === operation) ? [length] : [];
      for (const name of [...Object.keys(usual), ...neverSent]) {
        const result = await built(operation, { headers: [[name, "\u00e9 x"], ...body] });
        const expected = refused.find(([refusing, header]) => refusing === operation && header === name);
        if (expected !== undefined) {
          expect(result.refusal, `${operation} ${name}`).toMatchObject({ status: expected[2], code: expected[3] });
        } else if (name === "user-agent") {
          expect(result.headers?.[name]).toBe("?? x");
        } else {
          expect(result.refusal, `${operation} ${name}`).toBeUndefined();
          expect(result.headers, `${operation} ${name}`).not.toHaveProperty(name);
        }
      }
    }
  });

  test("includes duplicates of a header with a single value", async () => {
    for (const [operation, name] of [
      ["get-blob", "range"],
      ["get-blob", "if-range"],
      ["continue-upload", "content-range"],
    ] as const) {
      const value = usual[name] ?? "";
      const headers = [[name, value], [name, value], ...(methods[operation] === "GET" ? [] : [length])] as const;
      expect((await built(operation, { headers })).refusal, name).toMatchObject({ status: 400 });
    }
    for (const name of ["traceparent", "x-request-id"]) {
      const value = usual[name] ?? "";
      expect(
        await sent("ping", {
          headers: [
            [name, value],
            [name, value],
          ],
        }),
      ).not.toHaveProperty(name);
    }
  });

  test("of traceparent drops tracestate too", async () => {
    const state = ["tracestate", "a=b"] as const;
    expect(await sent("ping", { headers: [state] })).not.toHaveProperty("tracestate");
    expect(await sent("ping", { headers: [["traceparent", "x"], state] })).not.toHaveProperty("tracestate");
  });
});

test("duplicates of a list header are joined", async () => {
  const headers = [
    ["Accept", "a/b"],
    ["Accept", "c/d;q=0.5"],
    ["If-None-Match", '"a"'],
    ["If-None-Match", '"b"'],
  ] as const;
  expect(await sent("get-manifest", { headers })).toMatchObject({
    accept: "a/b, c/d;q=0.5",
    "if-none-match": '"a", "b"',
  });
});

test("every forwarded value is printable ASCII, whatever the client sends", async () => {
  // What Node's parser lets through.
  const text = fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0x2fff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code)),
  });
  const value = fc.oneof(
    text,
    fc.constantFrom(...Object.values(usual)),
    fc.tuple(text, fc.constantFrom(...Object.values(usual))).map((parts) => parts.join("")),
  );
  const header = fc.tuple(fc.constantFrom(...Object.keys(usual).filter((name) => name !== "content-type")), value);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...operations),
      fc.array(header, { maxLength: 6 }),
      value,
      async (operation, said, type) => {
        const body = writes.some((write) => write === operation) ? [["Content-Type", type] as const, length] : [];
        const { headers, refusal } = await built(operation, { headers: [...said, ...body] });
        if (headers === undefined) expect(refusal.status).toBeOneOf([400, 415]);
        for (const written of Object.values(headers ?? {})) expect(written).toMatch(/^[!-~]([ -~]*[!-~])?$/);
      },
    ),
    { numRuns: 500 },
  );
});

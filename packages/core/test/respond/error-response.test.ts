import { ServerResponse } from "node:http";
import { describe, expect, test, vi } from "vitest";
import { type ErrorResponse, sendError } from "../../src/respond/error-response.ts";
import { type Head, receivedRequest } from "../received-request.ts";

const refusal: ErrorResponse = { status: 405, code: "UNSUPPORTED", message: "not so", headers: { Allow: "GET, HEAD" } };

async function sent(error: ErrorResponse, head: Head = {}, before: Readonly<Record<string, string>> = {}) {
  const request = await receivedRequest(head);
  const response = new ServerResponse(request);
  for (const [name, value] of Object.entries(before)) response.setHeader(name, value);
  const end = vi.spyOn(response, "end");
  const length = sendError(request, response, error);
  const body: unknown = end.mock.calls[0]?.[0];
  // Each request has another.
  const { "x-request-id": requestId, ...headers } = response.getHeaders();
  return { status: response.statusCode, headers, body, length, requestId };
}

describe("an error", () => {
  test("is in the format of the specification, of its exact length", async () => {
    const { status, headers, body, length, requestId } = await sent({ ...refusal, message: 'n\u00f6t "so"' });
    expect(status).toBe(405);
    expect(JSON.parse(String(body))).toEqual({
      errors: [{ code: "UNSUPPORTED", message: 'n\u00f6t "so"', detail: { requestId } }],
    });
    expect(length).toBe(Buffer.byteLength(String(body)));
    expect(headers).toEqual({
      "content-type": "application/json; charset=utf-8",
      "content-length": `${length}`,
      "docker-distribution-api-version": "registry/2.0",
      "x-content-type-options": "nosniff",
      allow: "GET, HEAD",
    });
  });

  test("has the missing action in its detail, without the name", async () => {
    const accesses = [{ type: "repository", name: "team/app", action: "push" }] as const;
    const denied = await sent({ ...refusal, accesses }, {}, { "X-Request-Id": "id-1" });
    expect(JSON.parse(String(denied.body))).toMatchObject({
      errors: [{ detail: { requestId: "id-1", accesses: [{ type: "repository", action: "push" }] } }],
    });
    expect(String(denied.body)).not.toContain("team/app");
    expect(String((await sent({ ...refusal, accesses: [] })).body)).not.toContain("accesses");
  });

  test("has the same headers for HEAD as for GET, without a body", async () => {
    const id = { "X-Request-Id": "id-1" };
    const get = await sent(refusal, {}, id);
    const head = await sent(refusal, { method: "HEAD" }, id);
    expect(head).toEqual({ ...get, body: undefined, length: 0 });
  });

  test("drops headers that describe another response", async () => {
    const { headers } = await sent(
      refusal,
      {},
      { "Docker-Content-Digest": "sha256:0", Location: "/v2/secret", ETag: "x" },
    );
    for (const name of ["docker-content-digest", "location", "etag"]) expect(headers).not.toHaveProperty(name);
  });

  test("has the API's version once, in whichever case somebody set it before", async () => {
    const { headers } = await sent(refusal, {}, { "DOCKER-DISTRIBUTION-API-VERSION": "registry/2.0" });
    expect(headers["docker-distribution-api-version"]).toBe("registry/2.0");
  });

  test("has a line for each of several challenges", async () => {
    const challenges = ['Basic realm="a"', 'Bearer realm="b"'];
    const { headers } = await sent({ ...refusal, headers: { "WWW-Authenticate": challenges } });
    expect(headers["www-authenticate"]).toEqual(challenges);
  });
});

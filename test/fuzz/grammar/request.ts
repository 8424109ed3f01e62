import fc from "fast-check";
import type { BodySpec, Login, RequestSpec } from "../case/fuzz-case.ts";
import { may, owners, userOf } from "../oracle.ts";
import { actionOf } from "../registry/operation.ts";
import { anyBody, oddFraming, properBody, properFraming, withLength, withoutBody } from "./framing.ts";
import { nearForm, oddHeader, properHeader } from "./headers.ts";
import { anyOperation, type Operation, ownedBy, readOperation, uploadStart } from "./operations.ts";
import { oddMethod, oddTarget, oddVersion } from "./targets.ts";

const somebody = fc.constantFrom<Login>("alice", "carol", "mally", "mally", "bobby");
const logins: fc.Arbitrary<readonly Login[]> = fc.oneof(
  { weight: 16, arbitrary: somebody.map((login) => [login]) },
  { weight: 2, arbitrary: fc.constant([]) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Login>("wrong-password", "no-base64", "unknown-scheme").map((login) => [login]),
  },
  { weight: 1, arbitrary: fc.constant<Login[]>(["mally", "alice"]) },
);

const host = "registry.example.com";
const headOf = { version: "HTTP/1.1", host, lineEnd: "\r\n" } as const;
const noBody = { kind: "filler", size: 0 } as const;

/** What a well-behaved client sends, to a repository that it may use for that. */
export function properRequest(operations: fc.Arbitrary<Operation>): fc.Arbitrary<RequestSpec> {
  return fc
    .record({
      operation: operations,
      login: somebody,
      owner: fc.constantFrom(...owners),
      headers: fc.array(properHeader, { maxLength: 2 }),
      framing: properFraming,
      body: properBody,
    })
    .map(({ operation, login, owner, headers, framing, body }) => {
      const user = userOf([login]) ?? "anonymous";
      const action = actionOf(operation.method, operation.target);
      const allowed = may(user, action, `${owner}/x`) ? owner : user;
      return {
        ...headOf,
        logins: [login],
        method: operation.method,
        target: ownedBy(operation.target, allowed, `${user}/img`),
        headers,
        framing: operation.hasBody ? framing : withoutBody,
        body: operation.hasBody ? body : noBody,
        proper: true,
      };
    });
}

export const properRead: fc.Arbitrary<RequestSpec> = properRequest(readOperation);

/** Well-formed, but by anybody for anybody's content, with any header, and with a body that asks for more. */
const curiousRequest: fc.Arbitrary<RequestSpec> = fc
  .record({
    operation: anyOperation,
    logins,
    owner: fc.constantFrom(...owners),
    from: fc.constantFrom(...owners),
    headers: fc.array(fc.oneof(oddHeader, oddHeader, properHeader), { maxLength: 4 }),
    framing: properFraming,
    body: anyBody,
    bodyAnyway: fc.nat({ max: 15 }),
  })
  .map(({ operation, logins, owner, from, headers, framing, body, bodyAnyway }) => {
    const hasBody = operation.hasBody || operation.method === "POST" || bodyAnyway === 0;
    return {
      ...headOf,
      logins,
      method: operation.method,
      target: ownedBy(operation.target, owner, `${from}/img`),
      headers,
      framing: hasBody ? framing : withoutBody,
      body: hasBody ? body : noBody,
      proper: false,
    };
  });

/** A little of everything that no client does. */
const oddRequest: fc.Arbitrary<RequestSpec> = fc
  .record({
    curious: curiousRequest,
    method: fc.option(oddMethod, { freq: 3 }),
    target: fc.option(oddTarget, { freq: 3 }),
    version: fc.option(oddVersion, { freq: 8 }),
    host: fc.constantFrom(host, host, host, host, null, "", "a, b", "a@b", "é", "registry.example.com:99999"),
    lineEnd: fc.constantFrom("\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n"),
    framing: fc.option(oddFraming, { freq: 2 }),
    body: anyBody,
  })
  .map(({ curious, method, target, version, host, lineEnd, framing, body }) => ({
    ...curious,
    method: method ?? curious.method,
    target: target ?? curious.target,
    version: version ?? curious.version,
    host,
    lineEnd,
    framing: framing ?? curious.framing,
    body: framing === null ? curious.body : body,
  }));

/** A single thing that is wrong, in a request that is well-formed otherwise. */
const nearlyProper: fc.Arbitrary<RequestSpec> = fc
  .tuple(
    properRequest(anyOperation),
    fc.oneof(
      fc.tuple(oddFraming, anyBody).map(([framing, body]) => ({ framing, body })),
      oddMethod.map((method) => ({ method })),
      oddTarget.map((target) => ({ target })),
      oddVersion.map((version) => ({ version })),
      fc.array(oddHeader, { minLength: 1, maxLength: 1 }).map((headers) => ({ headers })),
    ),
  )
  .map(([request, change]) => ({ ...request, ...change, proper: false }));

/** The beginning of something that is not HTTP/1.1. */
const foreign: fc.Arbitrary<RequestSpec> = fc
  .constantFrom(
    { method: "PRI", target: "*", version: "HTTP/2.0" },
    { method: "CONNECT", target: "a:1", version: "HTTP/1.1" },
    { method: "CONNECT", target: "/v2/world/{m}/tags/list", version: "HTTP/1.1" },
  )
  .map((line) => ({
    ...headOf,
    ...line,
    logins: [],
    headers: [],
    framing: withoutBody,
    body: noBody,
    proper: false,
  }));

const upgrade: fc.Arbitrary<RequestSpec> = fc
  .tuple(properRequest(anyOperation), fc.constantFrom("h2c", "websocket", "TLS/1.0"))
  .map(([request, protocol]) => ({
    ...request,
    headers: [
      ["Connection", "Upgrade, HTTP2-Settings"],
      ["Upgrade", protocol],
      ["HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA"],
    ],
    proper: false,
  }));

const expecting: fc.Arbitrary<RequestSpec> = fc
  .tuple(properRequest(anyOperation), fc.boolean())
  .map(([request, empty]) => ({
    ...request,
    headers: [["Expect", "100-continue"]],
    framing: request.framing === withoutBody && empty ? withLength : request.framing,
    proper: false,
  }));

/** Something that is allowed, with a body that asks for what is not. */
const mountingByBody: fc.Arbitrary<RequestSpec> = fc
  .tuple(
    properRequest(fc.constant(uploadStart)),
    fc.constantFrom<Login>("mally", "bobby", "carol"),
    nearForm,
    fc.constantFrom<BodySpec["kind"]>("form", "multipart"),
    properFraming,
  )
  .map(([request, login, header, kind, framing]) => ({
    ...request,
    logins: [login],
    target: ownedBy(uploadStart.target, login, ""),
    headers: [header],
    framing,
    body: { kind, size: 0 },
    proper: false,
  }));

export const anyRequest: fc.Arbitrary<RequestSpec> = fc.oneof(
  { weight: 6, arbitrary: properRequest(anyOperation) },
  { weight: 5, arbitrary: curiousRequest },
  { weight: 5, arbitrary: nearlyProper },
  { weight: 3, arbitrary: oddRequest },
  { weight: 2, arbitrary: foreign },
  { weight: 2, arbitrary: upgrade },
  { weight: 2, arbitrary: expecting },
  { weight: 1, arbitrary: mountingByBody },
);

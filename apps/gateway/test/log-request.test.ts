import type { Grants } from "@registry-gate/auth";
import type { RequestRecord } from "@registry-gate/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { logOn } from "../src/log/log.ts";
import { requestLine } from "../src/log/request-line.ts";

const word = fc.string({ unit: "binary" }).filter((text) => text.isWellFormed());
const said = fc.oneof(word, fc.constantFrom("team/app", 'a "quoted" name', "back\\slash", "\u007f", "\u2028", ""));
const perhaps = fc.option(said, { nil: undefined });
const milliseconds = fc.integer({ min: 0, max: 1e12 }).map((microseconds) => microseconds / 1000);
const bytes = fc.maxSafeNat();
const grants: fc.Arbitrary<Grants> = fc.array(
  fc.record({ type: fc.constant("repository"), name: said, action: fc.constantFrom("pull", "push", "delete", "*") }),
);
const identity = fc.record({ subject: said, username: said, groups: fc.array(said), backend: said });
const principal = fc.option(
  fc.oneof(
    fc.record(
      { kind: fc.constant("user"), identity, via: fc.constantFrom("basic", "bearer", "proxy", "session"), grants },
      { requiredKeys: ["kind", "identity", "via"] },
    ),
    fc.record({ kind: fc.constant("anonymous"), grants }, { requiredKeys: ["kind"] }),
  ),
  { nil: undefined },
);
const record: fc.Arbitrary<RequestRecord> = fc.record({
  requestId: said,
  method: said,
  operation: perhaps,
  repository: perhaps,
  reference: perhaps,
  tags: fc.option(fc.array(said), { nil: undefined }),
  digest: perhaps,
  mediaType: perhaps,
  origin: perhaps,
  client: perhaps,
  agent: perhaps,
  username: perhaps,
  attemptedUsername: perhaps,
  loginRejected: fc.boolean(),
  backend: perhaps,
  principal,
  decision: fc.constantFrom("allowed", "unauthenticated", "denied", "throttled", "refused", "unavailable"),
  rule: fc.option(fc.nat(), { nil: undefined }),
  issuedToken: fc.constantFrom("access", "refresh", undefined),
  phase: fc.constantFrom("validate", "route", "authenticate", "authorize", "forward", "respond"),
  outcome: fc.constantFrom("completed", "client-aborted", "upstream-error", "timeout", "internal-error"),
  reason: said,
  status: fc.integer({ min: 100, max: 599 }),
  bytesReceived: bytes,
  bytesSent: bytes,
  milliseconds,
  gateMilliseconds: milliseconds,
  upstreamMilliseconds: fc.option(milliseconds, { nil: undefined }),
  cache: fc.constantFrom("hit", "joined", "revalidated", "miss", undefined),
  announced: fc.boolean(),
});

describe("the prepared line of a request", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  function scene(members: { readonly worker?: number }, level = "info") {
    const lines: string[] = [];
    const { logger, logRequest } = logOn({ write: (line) => void lines.push(line) }, members);
    const own = logger.child({}, { level });
    return {
      prepared: (of: RequestRecord) => logRequest(own, of),
      ordinary: (of: RequestRecord) => own.info(requestLine(of)),
      written: () => lines.splice(0),
    };
  }

  test("has the bytes of the line that pino writes", () => {
    const scenes = [scene({}), scene({ worker: 3 })];
    fc.assert(
      fc.property(record, fc.constantFrom(...scenes), fc.date({ noInvalidDate: true }), (of, log, now) => {
        vi.setSystemTime(now);
        log.ordinary(of);
        const expected = log.written();
        log.prepared(of);
        expect(log.written()).toEqual(expected);
        expect(expected).toHaveLength(1);
      }),
    );
  });

  test("is pino's where grants of an untyped backend cannot be serialized", () => {
    const circular: unknown[] = [];
    circular.push(circular);
    const silent = Object.assign([], { toJSON: () => undefined });
    for (const odd of [circular, silent]) {
      const [sample] = fc.sample(record, { numRuns: 1, seed: 1 });
      const of: RequestRecord = Object.assign({}, sample, { principal: { kind: "anonymous", grants: odd } });
      const log = scene({});
      log.ordinary(of);
      const expected = log.written();
      log.prepared(of);
      expect(log.written()).toEqual(expected);
    }
  });

  test("is not written below the level of the log", () => {
    const log = scene({}, "warn");
    for (const of of fc.sample(record, 3)) log.prepared(of);
    expect(log.written()).toEqual([]);
  });
});

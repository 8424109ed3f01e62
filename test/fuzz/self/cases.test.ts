import { describe, expect, test } from "vitest";
import type { FuzzCase } from "../case/fuzz-case.ts";
import { contentMark, markerOf, markLength, marksIn, tailMark } from "../case/marker.ts";
import { caseOf } from "../grammar/campaigns.ts";
import { simplify } from "../run/simplify.ts";

const sample = (campaign: "clients" | "registries"): FuzzCase[] =>
  Array.from({ length: 1500 }, (_, seed) => caseOf(campaign, seed));

test("a seed gives the same case each time", () => {
  for (const seed of [0, 1, 4711]) expect(caseOf("clients", seed)).toEqual(caseOf("clients", seed));
  expect(caseOf("clients", 1)).not.toEqual(caseOf("clients", 2));
});

test("a case is the same after it was kept as JSON", () => {
  for (const fuzzCase of sample("registries").slice(0, 200)) {
    expect(JSON.parse(JSON.stringify(fuzzCase))).toEqual(fuzzCase);
  }
});

describe("hostile clients do everything now and then", () => {
  const connections = sample("clients").flatMap((fuzzCase) => fuzzCase.connections);
  const requests = connections.flatMap((connection) => connection.requests);
  const headers = requests.flatMap((request) => request.headers);
  test.each<[what: string, count: number]>([
    [
      "CONNECT behind a request",
      connections.filter(({ requests }) => requests.slice(1).some(({ method }) => method === "CONNECT")).length,
    ],
    ["the beginning of HTTP/2", requests.filter(({ method }) => method === "PRI").length],
    ["an upgrade", headers.filter(([name]) => name === "Upgrade").length],
    ["an expectation", headers.filter(([name]) => name === "Expect").length],
    ["a reset", connections.filter(({ ending }) => ending === "reset").length],
    ["half a connection", connections.filter(({ ending }) => ending === "half-close").length],
    ["a connection cut in its first head", connections.filter(({ schedule }) => (schedule.cut ?? 1e9) < 200).length],
    ["a byte at a time", connections.filter(({ schedule }) => schedule.size === 1).length],
    ["a response that is not read", connections.filter(({ reading }) => reading === "none").length],
    ["a length beside chunks", requests.filter(({ framing }) => framing.lines.length > 1).length],
    ["a malformed chunk behind others", requests.filter(({ framing }) => (framing.fault?.at ?? 0) > 1).length],
    ["a header beyond ASCII", headers.filter(([, value]) => /[^\0-\x7f]/.test(value)).length],
    ["an absolute target", requests.filter(({ target }) => target.startsWith("http:")).length],
    ["two logins", requests.filter(({ logins }) => logins.length > 1).length],
    ["a request of a well-behaved client", requests.filter(({ proper }) => proper).length],
  ])("%s", (_, count) => {
    expect(count).toBeGreaterThan(5);
  });
});

describe("a hostile registry does everything now and then", () => {
  const responses = sample("registries").flatMap((fuzzCase) => fuzzCase.responses);
  const statuses = responses.map(({ head }) => /^HTTP\/1\.1 (\d{3})/.exec(head[0] ?? "")?.[1] ?? "");
  test.each<[what: string, count: number]>([
    ["bytes in the same write as a response", responses.filter(({ tail }) => tail?.wait === 0).length],
    ["bytes later", responses.filter(({ tail }) => (tail?.wait ?? 0) > 0).length],
    ["a response before the body", responses.filter(({ when }) => when === "head").length],
    ["silence", responses.filter(({ when }) => when === "never").length],
    ["a response cut short", responses.filter(({ cut }) => cut !== null).length],
    ["a body that breaks off", responses.filter(({ quality }) => quality === "broken").length],
    ["a status below 100", statuses.filter((status) => status.startsWith("0")).length],
    ["a status above 599", statuses.filter((status) => /^[6-9]/.test(status)).length],
    ["another protocol", statuses.filter((status) => status === "101").length],
    ["a flood of interim responses", responses.filter(({ interim }) => interim.length > 100).length],
    ["a line feed alone", responses.filter(({ lineEnd }) => lineEnd === "\n").length],
    ["a reset", responses.filter(({ ending }) => ending === "reset").length],
    ["a good response", responses.filter(({ quality }) => quality === "good").length],
  ])("%s", (_, count) => {
    expect(count).toBeGreaterThan(5);
  });

  test("every class of status", () => {
    expect(new Set(statuses.filter((status) => status !== "").map((status) => status[0]))).toEqual(
      new Set("0123456789"),
    );
  });
});

test("marks are of one length and found in any text", () => {
  const own = contentMark("alice", markerOf("m", 12, 3));
  const tail = tailMark("share", markerOf("v", 999_999, 99));
  expect([own.length, tail.length]).toEqual([markLength, markLength]);
  expect(marksIn(`x${own}${own}y${tail}`)).toEqual([
    { kind: "own", owner: "alice", marker: "m000012-03" },
    { kind: "end", owner: "share", marker: "v999999-99" },
  ]);
});

test("a case is made as simple as what it shows allows", async () => {
  const shows = async ({ connections }: FuzzCase): Promise<boolean> =>
    connections.some(({ requests }) => requests.some(({ method }) => method === "CONNECT"));
  const whole = sample("clients").find(
    ({ connections }) => connections.length > 1 && connections[0]?.requests.at(-1)?.method === "CONNECT",
  );
  expect(whole).toBeDefined();
  if (whole === undefined) return;
  const simplest = await simplify(whole, shows, Number.POSITIVE_INFINITY);
  expect(simplest.responses).toEqual([]);
  expect(simplest.connections).toMatchObject([
    { delay: 0, serial: false, reading: "all", ending: "wait", requests: [{ method: "CONNECT", headers: [] }] },
  ]);
});

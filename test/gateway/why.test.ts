import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runGate } from "./run-gate.ts";

const id = "6f1c6f0e-2d6c-4f0e-9c39-0d3f9a2f6a53";
const request = {
  level: "info",
  time: "2026-11-28T04:00:10.000Z",
  event: "request",
  requestId: id,
  method: "PUT",
  operation: "put-manifest",
  repository: "team/app",
  reference: "v1",
  client: "203.0.113.7",
  attemptedUsername: "alice",
  decision: "unavailable",
  phase: "authenticate",
  outcome: "completed",
  reason: "no response from ldap",
  status: 503,
  bytesReceived: 12,
  bytesSent: 120,
  milliseconds: 2000,
};
const outage = {
  level: "warn",
  time: "2026-11-28T04:00:09.000Z",
  requestId: id,
  backend: "ldap",
  err: { type: "BackendUnavailableError", message: "connect ECONNREFUSED" },
  msg: "a backend is unavailable",
};
const down = {
  level: "warn",
  time: "2026-11-28T04:00:08.500Z",
  server: "ldaps://dc1:636",
  reason: "refused",
  msg: "LDAP server marked down",
};
const earlier = { ...down, time: "2026-11-28T03:00:00.000Z", server: "ldaps://dc9:636" };
const another = {
  ...request,
  requestId: "other",
  attemptedUsername: "bob",
  decision: "unauthenticated",
  reason: "wrong password",
};
const audited = {
  id: "a1",
  time: request.time,
  event: "denied",
  requestId: id,
  decision: "denied",
  outcome: "completed",
};

const json = (lines: readonly object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join("");
const log = json([earlier, another, down, outage, request]);

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-why-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe("registry-gate why", () => {
  test("tells who, what, which decision and why, what backends said meanwhile, and what to do", async () => {
    const { code, stdout, stderr } = await runGate(["why", id, "-"], { input: log });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(
      [
        `request ${id} of 2026-11-28T04:00:10.000Z`,
        "  who       alice tried to sign in, from 203.0.113.7",
        "  what      put-manifest on team/app:v1 (PUT)",
        "  decision  unavailable, in the step authenticate: status 503",
        "  reason    no response from ldap",
        "  registry  was not asked",
        "  time      2000 ms, 12 bytes received, 120 sent",
        "  logged    warn: a backend is unavailable (ldap): connect ECONNREFUSED",
        "  meanwhile warn: LDAP server marked down (ldaps://dc1:636): refused",
        "  next      A backend did not respond, so that nobody could be judged: try it with check --config FILE --connect.",
        '            See "A backend is unavailable" in docs/login-problems.md.',
        "",
      ].join("\n"),
    );
  });

  test("does not say that the registry has responded where the cache has", async () => {
    const kept = { ...request, decision: "allowed", outcome: "completed", phase: "respond", status: 200 };
    for (const [cache, said] of [
      ["hit", "was not asked: the response was in the cache"],
      ["revalidated", "responded"],
    ]) {
      const { stdout } = await runGate(["why", id, "-"], { input: json([{ ...kept, cache }]) });
      expect(stdout).toContain(`  registry  ${said}\n`);
    }
  });

  test("joins the log with the audit, and with rotated files that are compressed", async () => {
    await writeFile(join(directory, "gate.log"), json([another]));
    await writeFile(join(directory, "gate.log.1"), gzipSync(json([down, outage, request])));
    await writeFile(join(directory, "audit.jsonl"), json([audited]));
    const files = ["gate.log", "gate.log.1", "audit.jsonl"];
    const { code, stdout } = await runGate(["why", id, "--log", ...files], { directory });
    expect(code).toBe(0);
    expect(stdout).toContain("logged    warn: a backend is unavailable");
    expect(stdout).toContain("audit     denied, completed (a1)");
  });

  test("reads the audit that a configuration names, with its rotated files", async () => {
    const place = await mkdtemp(join(directory, "audited-"));
    const events = ["oldest", "older", "newest"].map((name) => ({
      ...audited,
      ...{ id: `event-${name}`, requestId: name, username: "carol" },
    }));
    const files = ["audit.jsonl.2.gz", "audit.jsonl.1", "audit.jsonl"];
    for (const [index, file] of files.entries()) {
      const text = json(events.slice(index, index + 1));
      await writeFile(join(place, file), file.endsWith(".gz") ? gzipSync(text) : text);
      await utimes(join(place, file), 1000 + index, 1000 + index);
    }
    await writeFile(join(place, "audit.jsonl.bak"), json([{ ...audited, requestId: "copied" }]));
    // Faults elsewhere, such as a variable that is not set here, do not matter.
    await writeFile(
      join(place, "gate.yaml"),
      "upstream: { url: '${NOWHERE}' }\naudit: { output: { file: audit.jsonl } }\n",
    );
    const why = (...parameters: string[]) => runGate(["why", ...parameters, "--config", join(place, "gate.yaml")]);
    for (const { id: event, requestId } of events) {
      expect((await why(requestId)).stdout).toContain(`audit     denied, completed (${event})`);
    }
    expect((await why("copied")).code).toBe(1);
    expect((await why("--user", "carol")).stdout).toContain("event-newest");
  });

  test("finds the last request of a user in an audit and a log that is read after it", async () => {
    const place = await mkdtemp(join(directory, "audited-"));
    const at = (second: number, id: string) => ({
      ...{ time: `2026-11-28T05:00:0${second}.000Z`, requestId: id, username: "dave", attemptedUsername: undefined },
      ...{ decision: "denied" },
    });
    await writeFile(join(place, "audit.jsonl"), json([{ ...audited, ...at(2, "second") }]));
    await writeFile(join(place, "gate.yaml"), "audit: { output: { file: audit.jsonl } }\n");
    await writeFile(
      join(place, "gate.log"),
      json([1, 2].map((second) => ({ ...request, ...at(second, second === 1 ? "first" : "second") }))),
    );
    const parameters = ["why", "--user", "dave", "--config", "gate.yaml", "--log", "gate.log"];
    const { stdout } = await runGate(parameters, { directory: place });
    expect(stdout).toContain("request second of");
    expect(stdout).toContain("audit     denied, completed (a1)");
    await writeFile(join(place, "gate.log"), json([{ ...request, ...at(3, "third") }]));
    expect((await runGate(parameters, { directory: place })).stdout).toContain("request third of");
  });

  test.each([
    ["names no audit file", "audit: { output: syslog }", "gate.yaml: audit: names no file"],
    ["has a faulty audit", "audit: { output: { file: 7 } }", "gate.yaml: audit.output.file: must be"],
    ["cannot be parsed", "audit: [", "gate.yaml: "],
    ["names a file that is not there", "audit: { output: { file: missing/audit.jsonl } }", "ENOENT"],
  ])("fails with a configuration that %s", async (_, configuration, message) => {
    const place = await mkdtemp(join(directory, "audited-"));
    await writeFile(join(place, "gate.yaml"), configuration);
    const ending = await runGate(["why", id, "--config", "gate.yaml"], { directory: place });
    expect(ending).toMatchObject({ code: 1, stdout: "" });
    expect(ending.stderr).toContain(message);
  });

  test("reads the log alone where the audit is no file", async () => {
    const place = await mkdtemp(join(directory, "audited-"));
    await writeFile(join(place, "gate.yaml"), "audit: { output: syslog }");
    const { code, stdout } = await runGate(["why", id, "-", "--config", "gate.yaml"], { directory: place, input: log });
    expect(code).toBe(0);
    expect(stdout).toContain("connect ECONNREFUSED");
  });

  test("finds the last request of a user that was not allowed", async () => {
    const allowed = {
      ...another,
      requestId: "last",
      decision: "allowed",
      attemptedUsername: undefined,
      username: "bob",
    };
    const { stdout } = await runGate(["why", "--user", "bob", "-"], { input: json([another, request, allowed]) });
    expect(stdout).toContain("request other of");
    expect(stdout).toContain('See "The password is wrong"');
    const ofAlice = await runGate(["why", "--user", "alice", "-"], { input: log });
    expect(ofAlice.stdout).toContain("connect ECONNREFUSED");
  });

  test("finds the last request of a user that was allowed, and to which the registry did not respond", async () => {
    const failed = {
      ...another,
      ...{ requestId: "failed", decision: "allowed", outcome: "upstream-error", status: 502 },
      ...{ attemptedUsername: undefined, username: "bob" },
    };
    const { stdout } = await runGate(["why", "--user", "bob", "-"], { input: json([another, failed]) });
    expect(stdout).toContain("request failed of");
  });

  test.each([
    ["Docker", (text: string) => JSON.stringify({ log: `${text}\n`, stream: "stdout", time: "2026-11-28T04:00:10Z" })],
    ["Kubernetes", (text: string) => `2026-11-28T04:00:10.000000000Z stdout F ${text}`],
    ["compose", (text: string) => `gate-1  | ${text}`],
    ["journald as JSON", (text: string) => JSON.stringify({ MESSAGE: text, _PID: "1" })],
    ["journald as JSON in bytes", (text: string) => JSON.stringify({ MESSAGE: [...Buffer.from(text)] })],
  ])("reads lines as %s keeps them", async (_, keep) => {
    const input = [outage, request].map((line) => `${keep(JSON.stringify(line))}\n`).join("");
    const { stdout } = await runGate(["why", "--user", "alice", "-"], { input });
    expect(stdout).toContain(`request ${id}`);
    expect(stdout).toContain("connect ECONNREFUSED");
  });

  test("prints the lines of the request alone with --json", async () => {
    const { stdout } = await runGate(["why", id, "-", "--json"], { input: log });
    expect(stdout).toBe(json([outage, request]));
  });

  test("neither stops at lines that are no JSON, nor lets a name control the terminal", async () => {
    const evil = { ...request, attemptedUsername: "\u001b[2Jeve" };
    const { code, stdout } = await runGate(["why", id, "-"], { input: `{"broken ${id}\n${id}\n[1]\n${json([evil])}` });
    expect(code).toBe(0);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toContain("[2Jeve tried to sign in");
  });

  test("lets no text control the terminal with --json either, and changes none", async () => {
    const evil = { ...request, attemptedUsername: "\u009b2Jeve\u202e", reason: "a\u2028b" };
    const { stdout } = await runGate(["why", id, "-", "--json"], { input: json([evil]) });
    expect(stdout).not.toMatch(/[\u0080-\u009f\u2028\u202e]/);
    expect(JSON.parse(stdout)).toEqual(evil);
  });

  test("finds a line with whatever JSON may hold, and after one without an end", async () => {
    const odd = { ...request, reason: "a\u2028b\u2029c\u0085d\re" };
    const path = join(directory, "odd.log.gz");
    await writeFile(path, gzipSync(`${id}${"x".repeat(200 * 1024 * 1024)}\n${json([odd])}`));
    const options = { directory, environment: { NODE_OPTIONS: "--max-old-space-size=64" } };
    const { code, stdout } = await runGate(["why", id, path], options);
    expect(code).toBe(0);
    expect(stdout).toContain("reason    a\ufffdb\ufffdc\ufffdd\ufffde\n");
  }, 120_000);

  test("reads a log of 300 MB in flat memory", async () => {
    const filler = json(Array.from({ length: 2000 }, (_, index) => ({ ...another, requestId: `other-${index}` })));
    const chunk = Buffer.from(filler.repeat(Math.ceil((50 * 1024 * 1024) / filler.length)));
    const path = join(directory, "large.log");
    for (let part = 0; part < 6; part++) await writeFile(path, chunk, { flag: part === 0 ? "w" : "a" });
    await writeFile(path, json([outage, request]), { flag: "a" });
    const options = { directory, environment: { NODE_OPTIONS: "--max-old-space-size=64" } };
    const { code, stdout } = await runGate(["why", id, "large.log"], options);
    expect(code).toBe(0);
    expect(stdout).toContain("connect ECONNREFUSED");
  }, 120_000);

  test.each([
    ["without an id", ["-"], 2, "name a log with --log FILE"],
    ["without anything", [], 2, "ID or --user USER is required"],
    ["without a log", [id], 2, "name a log with --log FILE, or - for standard input, or --config"],
    ["for a file that is not there", [id, "missing.log"], 1, "ENOENT"],
    ["for an unknown id", ["nothing-of-it", "-"], 1, "nothing of the request nothing-of-it in -"],
  ])("fails %s, and says so", async (_, parameters, code, message) => {
    const ending = await runGate(["why", ...parameters], { directory });
    expect(ending).toMatchObject({ code, stdout: "" });
    expect(ending.stderr).toContain(message);
  });

  test("fails for a compressed file that is damaged", async () => {
    await writeFile(join(directory, "cut.log.gz"), gzipSync(log.repeat(1000)).subarray(0, 200));
    const { code, stderr } = await runGate(["why", "nobody", "cut.log.gz"], { directory });
    expect(code).toBe(1);
    expect(stderr).toContain("unexpected end of file");
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import { gateCommand } from "../support/gate.ts";
import { type CommandResult, runCommand } from "../support/run.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-replay-"));
});
afterAll(async () => {
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

const access = [
  { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
  { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["pull", "push"] },
  { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
];

let count = 0;

/** An event of alice, who pushes to team/app and may. */
function event(members: object = {}): string {
  count++;
  return JSON.stringify({
    id: `00000000-0000-4000-8000-${String(count).padStart(12, "0")}`,
    time: "2026-11-28T04:00:00.000Z",
    event: "push",
    subject: "alice",
    username: "alice",
    backend: "htpasswd",
    via: "basic",
    groups: ["pushers"],
    method: "PUT",
    operation: "put-manifest",
    repository: "team/app",
    tag: "v1",
    decision: "allowed",
    rule: 1,
    phase: "respond",
    outcome: "completed",
    status: 201,
    ...members,
  });
}

const denied = { event: "denied", decision: "denied", rule: undefined, phase: "authorize", status: 403 };
const pull = { event: "pull", method: "GET", operation: "get-manifest" };
const anonymous = { subject: undefined, username: undefined, backend: undefined, via: undefined, groups: undefined };

async function replay(
  rules: readonly object[] | undefined,
  audits: readonly (string | Buffer)[],
  ...parameters: readonly string[]
): Promise<CommandResult> {
  const config = join(directory, "new.yaml");
  await writeFile(
    config,
    JSON.stringify({
      listen: { address: "127.0.0.1:0" },
      upstream: { url: "http://registry:5000" },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      ...(rules && { access: rules }),
    }),
  );
  const names = audits.map((audit, index) => join(directory, `audit-${index}${Buffer.isBuffer(audit) ? ".gz" : ""}`));
  await Promise.all(audits.map((audit, index) => writeFile(names[index] ?? "", audit)));
  const given = names.flatMap((name) => ["--replay", name]);
  return runGate(["explain", "--config", config, ...given, ...parameters]);
}

const lines = (...events: readonly string[]): string => events.map((line) => `${line}\n`).join("");

describe("explain --replay", () => {
  it("prints nothing, and exits with 0, where everything would be decided as it was", async () => {
    const audit = lines(
      event(),
      event({ ...pull, rule: 0 }),
      event({ ...denied, repository: "other/app" }),
      event({ ...pull, ...anonymous, repository: "public/app", rule: 2 }),
    );
    expect(await replay(access, [audit])).toEqual({ code: 0, stdout: "", stderr: "4 requests replayed\n" });
  });

  it("prints what would be denied and what would be allowed, by user and rule, and exits with 1", async () => {
    const audit = lines(
      event(),
      event(),
      event({ repository: "team/web" }),
      event({ ...denied, username: "bob", subject: "bob", groups: [], repository: "bob/app" }),
      event({ ...pull, ...anonymous, repository: "public/app", rule: 2 }),
      event({ ...pull, rule: 0 }),
    );
    const rules = [
      { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
      { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push"], effect: "deny" },
      { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["*"] },
    ];
    expect(await replay(rules, [audit])).toEqual({
      code: 1,
      stdout: [
        "alice: 3 requests were allowed by access[1], and would be denied by access[1]",
        "  push team/app (2)",
        "  push team/web (1)",
        "bob: 1 request was denied because no rule allows it, and would be allowed by access[2]",
        "  push bob/app (1)",
        "anonymous callers: 1 request was allowed by access[2], and would be denied because no rule allows it",
        "  pull public/app (1)",
        "",
      ].join("\n"),
      stderr: "6 requests replayed\n",
    });
    const { code, stdout } = await replay(rules, [audit], "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)[0]).toEqual({
      username: "alice",
      was: { allowed: true, rule: 1 },
      would: { allowed: false, rule: 1 },
      requests: 3,
      accesses: { "push team/app": 2, "push team/web": 1 },
    });
  });

  it("decides with the groups, the grants and the matching of names of that time", async () => {
    const rules = [{ subjects: ["group:Pushers"], repositories: ["**"], actions: ["push"] }];
    const grants = [{ type: "repository", name: "team/other", action: "push" }];
    const audit = lines(
      event({ groups: ["pushers"], nameMatching: "folded" }),
      event({ ...denied, groups: ["Pushers"], grants }),
      event({ ...denied, username: "carol", groups: ["pushers"] }),
    );
    expect(await replay(rules, [audit])).toMatchObject({ code: 0, stdout: "" });
    const exact = lines(event({ groups: ["pushers"] }), event({ ...denied, username: "dave", groups: ["Pushers"] }));
    expect(await replay(rules, [exact])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^alice: 1.*\n.*\ndave: 1/),
    });
  });

  it("counts on standard error what it cannot replay", async () => {
    const audit = lines(
      event(),
      '{"id":"torn',
      "null",
      event({ event: "login-failed", decision: "unauthenticated", username: undefined, subject: undefined }),
      event({ event: "reload", outcome: "reloaded", decision: undefined, operation: undefined }),
      event({ event: "throttled", decision: "throttled" }),
      event({ ...denied, phase: "forward", rule: 1, reason: "the tag v1 is immutable" }),
      event({ added: "by a later version" }),
      event({ operation: "of-a-later-version" }),
    );
    expect(await replay(access, [audit])).toEqual({
      code: 0,
      stdout: "",
      stderr:
        "2 requests replayed; 4 events that no rule decided; " +
        "1 denials for another reason than rules, such as an immutable tag; 2 lines that are no event\n",
    });
  });

  it("reads several files, packed ones too", async () => {
    const packed = gzipSync(lines(event(), event()));
    expect(await replay([], [packed, lines(event())])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^alice: 3 requests were allowed/),
      stderr: "3 requests replayed\n",
    });
  });

  it("exits with 1 where an audit cannot be read, or the configuration is wrong", async () => {
    expect(await replay(access, [], "--replay", join(directory, "missing"))).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `${join(directory, "missing")}: cannot be read: ENOENT\n`,
    });
    expect(await replay(access, [Buffer.from("not packed")])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("cannot be read: Z_DATA_ERROR"),
    });
    expect(await replay([{ subjects: [] }], [event()])).toMatchObject({ code: 1, stdout: "" });
  });

  it.each([[[]], [["--json"]]])("lets no name control the terminal with %j", async (parameters) => {
    const evil = event({ username: "\u001b[2J\u009b2Jeve\u202e", groups: [] });
    const { code, stdout } = await replay(access, [evil], ...parameters);
    expect(code).toBe(1);
    expect(stdout).toContain("2Jeve");
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u0080-\u009f\u202e]/);
  });

  it("takes no user from the command line", async () => {
    expect(await replay(access, [event()], "--user", "alice")).toMatchObject({ code: 2 });
  });

  it("reads an audit of 100,000 events in the memory of a few", async () => {
    const line = lines(...Array.from({ length: 100 }, () => event()));
    const config = join(directory, "new.yaml");
    await writeFile(join(directory, "huge"), line.repeat(1000));
    await replay(access, []);
    const [program, ...before] = gateCommand;
    const parameters = ["explain", "--config", config, "--replay", join(directory, "huge")];
    const { code, stderr } = await runCommand(program, ["--max-old-space-size=64", ...before, ...parameters], {});
    expect({ code, stderr }).toEqual({ code: 0, stderr: "100000 requests replayed\n" });
  }, 240_000);
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessTokenBackend } from "@registry-gate/access-tokens";
import { htpasswdBackend } from "@registry-gate/auth-htpasswd";
import { authRequest, bearerAsk } from "@registry-gate/auth-testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { memoryState, otherProcess } from "../../../packages/access-tokens/test/memory-state.ts";
import { UsageError } from "../src/commands/command.ts";
import { createTokenCommand } from "../src/commands/token/token.ts";

const sha = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/** A configuration with users and tokens, and the command for it. */
async function setUp(accessToken: Readonly<Record<string, unknown>> | "absent" = {}) {
  const directory = await mkdtemp(join(tmpdir(), "token-command-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "registry-gate.json");
  const users = join(directory, "users");
  await writeFile(users, `alice:${sha}\nbob:${sha}\n`);
  const tokens = accessToken === "absent" ? [] : [{ type: "access-token", ...accessToken }];
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: "http://127.0.0.1:1" },
    auth: { backends: [...tokens, { type: "htpasswd", file: "users" }] },
  };
  await writeFile(file, JSON.stringify(configuration));
  const state = memoryState();
  const command = createTokenCommand(async () => ({ state: otherProcess(state), close: async () => {} }));
  async function run(action: string, ...parameters: readonly string[]): Promise<Outcome> {
    const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const errors = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      const code = await command.run([action, "--config", file, ...parameters]);
      const textOf = ({ mock }: typeof out): string => mock.calls.map(([text]) => String(text)).join("");
      return { code, out: textOf(out), errors: textOf(errors).replaceAll(file, "FILE") };
    } finally {
      out.mockRestore();
      errors.mockRestore();
    }
  }
  return { run, state, users, command };
}

/** What a gate that runs all the while makes of tokens. */
async function runningGate({ state, users }: Awaited<ReturnType<typeof setUp>>) {
  const people = await htpasswdBackend({ file: users }, { id: "htpasswd" });
  const backend = accessTokenBackend({}, { state, sibling: () => people });
  onTestFinished(async () => {
    await backend.close?.();
    await people.close?.();
  });
  return (token: string) => backend.authenticate(authRequest(bearerAsk(token.trim())));
}

describe("registry-gate token", () => {
  it("creates a token, prints it alone, and has it accepted by a running gate", async () => {
    const set = await setUp();
    const login = await runningGate(set);
    const scope = "repository:team/**:pull";
    const made = await set.run("create", "--owner", "alice", "--name", "laptop", "--expires", "1h", "--scope", scope);
    expect(made).toMatchObject({ code: 0, errors: "" });
    expect(made.out).toMatch(/^rga_[0-9A-Za-z]{49}\n$/);
    expect(await login(made.out)).toMatchObject({
      identity: { username: "alice" },
      grants: [{ type: "repository", name: "team/**", action: "pull" }],
    });
  });

  it("revokes a token on a running gate that shares the state", async () => {
    const set = await setUp();
    const login = await runningGate(set);
    const { out } = await set.run("create", "--owner", "alice", "--name", "laptop", "--expires", "1h");
    expect(await login(out)).toHaveProperty("status", "authenticated");
    expect(await set.run("revoke", "laptop")).toEqual({ code: 0, out: "laptop of alice is revoked\n", errors: "" });
    await expect.poll(() => login(out), { interval: 200 }).toHaveProperty("status", "rejected");
    expect((await set.run("revoke", "laptop")).errors).toContain("there is no access token laptop");
  });

  it("makes a token of a robot with its groups", async () => {
    const set = await setUp();
    const login = await runningGate(set);
    const robot = ["--robot", "ci", "--group", "builders", "--group", "pushers"];
    const { out } = await set.run("create", ...robot, "--name", "main", "--expires", "1h");
    expect(await login(out)).toMatchObject({ identity: { username: "robot$ci", groups: ["builders", "pushers"] } });
  });

  it("requires an expiry, unless the configuration does not", async () => {
    const strict = await setUp();
    expect(await strict.run("create", "--owner", "alice", "--name", "a")).toEqual({
      code: 1,
      out: "",
      errors: "registry-gate token create: --expires: is required: say how long the token is good for, such as 30d\n",
    });
    const lax = await setUp({ requireExpiry: false });
    expect((await lax.run("create", "--owner", "alice", "--name", "a")).code).toBe(0);
    expect((await lax.run("show", "a")).out).toMatch(/^expires: +never$/m);
  });

  it("keeps to the configuration's maxTtl", async () => {
    const { run } = await setUp({ maxTtl: "1d" });
    expect(await run("create", "--owner", "alice", "--name", "a", "--expires", "25h")).toMatchObject({
      code: 1,
      errors: "registry-gate token create: --expires: must be at most 1d\n",
    });
  });

  it.each([
    [["--owner", "carol", "--name", "a", "--expires", "1h"], "no backend that can look its users up knows carol"],
    [["--owner", "alice", "--name", "a b", "--expires", "1h"], "--name: must be 1 to 64"],
    [["--owner", "alice", "--name", "a", "--expires", "1h", "--scope", "team"], "--scope team: must be such as"],
    [["--owner", "alice", "--name", "a", "--expires", "1h", "--network", "home"], "--network home: must be an IP"],
    [["--robot", "CI", "--name", "a", "--expires", "1h"], "--robot: must be 1 to 64 lower-case"],
  ])("says what is wrong with %j", async (parameters, fault) => {
    const { run } = await setUp();
    const { code, out, errors } = await run("create", ...parameters);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(errors).toContain(`registry-gate token create: ${fault}`);
  });

  it("lists tokens of all, or of one owner, in a table or as JSON", async () => {
    const { run } = await setUp();
    await run("create", "--owner", "alice", "--name", "one", "--expires", "1h", "--scope", "repository:a/*:pull,push");
    await run("create", "--owner", "bob", "--name", "two", "--expires", "1h");
    const { out } = await run("list");
    expect(out.split("\n").map((line) => line.split(/ {2,}/).slice(1, 3))).toEqual([
      ["NAME", "OWNER"],
      ["one", "alice"],
      ["two", "bob"],
      [],
    ]);
    const listed = JSON.parse((await run("list", "--owner", "alice", "--json")).out);
    expect(listed).toMatchObject([
      { name: "one", owner: { username: "alice" }, scopes: ["repository:a/*:pull,push"], lastUsed: null },
    ]);
    expect((await run("list", "--robot", "ci")).out.trim().split("\n")).toHaveLength(1);
  });

  it("asks for the id, or the owner, where several tokens have a name", async () => {
    const { run } = await setUp();
    for (const owner of ["alice", "bob"]) await run("create", "--owner", owner, "--name", "laptop", "--expires", "1h");
    const { code, errors } = await run("revoke", "laptop");
    expect(code).toBe(1);
    const [, id = ""] = /([0-9a-f]{16}) of bob/.exec(errors) ?? [];
    expect((await run("revoke", id)).out).toBe("laptop of bob is revoked\n");
    expect((await run("show", "--owner", "alice", "laptop")).code).toBe(0);
  });

  it("reports a configuration in which no gate would accept a token", async () => {
    const { run } = await setUp("absent");
    expect(await run("list")).toEqual({
      code: 1,
      out: "",
      errors: "FILE: auth.backends: has no backend of the type access-token, so that no gate would accept a token\n",
    });
  });

  it.each([[[]], [["make"]], [["create"]], [["list", "surplus"]], [["show"]]])(
    "refuses the use %j",
    async (parameters) => {
      const { command } = await setUp();
      await expect(command.run(parameters)).rejects.toThrow(UsageError);
    },
  );
});

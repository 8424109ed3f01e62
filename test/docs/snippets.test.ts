import { globSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../support/run.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { ownCommands } from "./commands.ts";
import { type Code, type CodeBlock, codeOf } from "./markdown.ts";
import { createSnippetProject, type SnippetProject } from "./snippet-project.ts";

const workspace = resolve(import.meta.dirname, "../..");
const readmes = ["", ...globSync("{packages,apps}/*/package.json", { cwd: workspace }).map(dirname)]
  .sort()
  .map((directory) => join(directory, "README.md"));

/** Commands of pnpm itself that an example may use. */
const ownCommandsOfPnpm = new Set(["install", "exec", "add", "pack"]);

const found = await Promise.all(readmes.map(async (readme) => [readme, await read(readme)] as const));
const blocks = (...languages: string[]): readonly (readonly [string, CodeBlock])[] =>
  found.flatMap(([readme, code]) =>
    (code?.blocks ?? [])
      .filter(({ language }) => languages.includes(language))
      .map((block) => [`${readme}:${block.line}`, block] as const),
  );

async function read(readme: string): Promise<Code | undefined> {
  const markdown = await readFile(join(workspace, readme), "utf8").catch(() => undefined);
  return markdown === undefined ? undefined : codeOf(markdown);
}

describe("the documentation", () => {
  it.each(found)("has %s", (_, code) => {
    expect(code).toBeDefined();
  });

  it("has examples of every kind", () => {
    expect(blocks("ts")).not.toHaveLength(0);
    expect(blocks("sh")).not.toHaveLength(0);
    expect(blocks("yaml")).not.toHaveLength(0);
  });
});

describe("an example in TypeScript", () => {
  let project: SnippetProject;
  let wrong: ReadonlyMap<string, string>;
  /** The directory of those that sign users in. */
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd();
    project = await createSnippetProject(workspace, [
      join(workspace, "test/node_modules"),
      join(workspace, "node_modules"),
      join(workspace, "packages/auth-kit/node_modules"),
    ]);
    wrong = await project.compile(new Map(blocks("ts").map(([place, { code }]) => [fileName(place), code])));
  });
  afterAll(async () => {
    await project?.close();
    await slapd?.close();
  });

  const fileName = (place: string): string => place.replace(/[^A-Za-z0-9]+/g, "-").toLowerCase();

  it.each(blocks("ts"))("at %s compiles under strict", (place) => {
    expect(wrong.get(fileName(place))).toBe("");
  });

  it.each(blocks("ts"))("at %s runs to its end and prints what is shown", async (place, { code, output }) => {
    const environment = { LDAP_URL: slapd.tlsUrl, NODE_EXTRA_CA_CERTS: slapd.authority };
    const ending = await project.run(fileName(place), code, environment);
    expect(ending).toMatchObject({ code: 0, complaints: "" });
    if (output !== undefined) expect(ending.output).toMatch(pattern(output));
  });
});

describe("a command in the documentation", () => {
  const shell = found.flatMap(([readme, code]) => [
    ...(code?.spans ?? []).map((span) => [readme, span] as const),
    ...(code?.blocks ?? [])
      .filter(({ language }) => ["", "sh"].includes(language))
      .map((block) => [`${readme}:${block.line}`, block.code] as const),
  ]);
  const commands = shell.flatMap(([place, code]) => ownCommands(code).map((command) => ({ place, ...command })));

  it("names a script of the workspace", async () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      await readFile(join(workspace, "package.json"), "utf8"),
    );
    const named = commands.flatMap((command) => (command.program === "pnpm" ? [command] : []));
    expect(named).not.toHaveLength(0);
    expect(named.filter(({ script }) => !(script in scripts) && !ownCommandsOfPnpm.has(script))).toEqual([]);
  });

  it("names a subcommand of the gateway", async () => {
    const usage = await gateway("--help");
    const known = [...usage.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name);
    const named = commands.flatMap((command) => (command.program === "registry-gate" ? [command] : []));
    expect(named).not.toHaveLength(0);
    expect(named.filter(({ subcommand }) => !known.includes(subcommand))).toEqual([]);
  });
});

describe("a configuration in the documentation", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "registry-gate-configurations-"));
    // What the examples name.
    const names = ["-subj", "/CN=localhost", "-keyout", "domain.key", "-out", "domain.crt"];
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...names], { cwd: directory });
    await copyFile(join(directory, "domain.crt"), join(directory, "ca.pem"));
    await writeFile(join(directory, "ldap-password"), "correct horse\n");
    await writeFile(join(directory, "registry-password"), "battery staple\n");
    await writeFile(join(directory, "htpasswd"), await run("htpasswd", ["-nbB", "alice", "correct horse"]));
    await writeFile(join(directory, "groups"), "pushers: alice\n");
  });
  afterAll(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  it.each(blocks("yaml").filter(([, { code }]) => code.startsWith("listen:")))(
    "at %s is found good by the gateway",
    async (place, { code }) => {
      const file = `${place.replace(/[^A-Za-z0-9]+/g, "-")}.yaml`;
      await writeFile(join(directory, file), code);
      expect(await gateway("check", "--config", join(directory, file))).toMatch(/: ok\n$/);
    },
  );
});

/** Runs the gateway from its sources. */
function gateway(...args: string[]): Promise<string> {
  const program = join(workspace, "apps/gateway/src/main.ts");
  return run(process.execPath, ["--conditions=development", program, ...args]);
}

/** `…` stands for whatever differs from run to run, within one line. */
function pattern(output: string): RegExp {
  const literal = output.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}\\s*$`);
}

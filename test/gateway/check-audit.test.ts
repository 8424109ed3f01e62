import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runGate } from "./run-gate.ts";

/** What `command` says of a configuration with this file of the audit. */
async function gateWith(command: "check" | "serve", file: string): Promise<{ code: number | null; stderr: string }> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-check-audit-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: "http://127.0.0.1:9" },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    audit: { output: { file } },
  };
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
  await writeFile(join(directory, "htpasswd"), `alice:$2y$05$${"a".repeat(53)}\n`);
  await symlink("elsewhere", join(directory, "link"));
  await mkdir(join(directory, "folder"));
  const before = await readdir(directory);
  const { code, stderr } = await runGate([command, "--config", "gate.yaml"], { directory });
  expect(await readdir(directory)).toEqual(before);
  return { code, stderr: stderr.replaceAll(directory, "") };
}

test.each([
  ["in a folder that is missing", "missing/audit.jsonl", "cannot be written (no such directory): /missing/audit.jsonl"],
  ["that is a symbolic link", "link", "is a symbolic link, which is not followed: /link"],
])("check finds a file of the audit %s, as serve does", async (_what, file, fault) => {
  const expected = { code: 1, stderr: `gate.yaml: audit.output.file: ${fault}\n` };
  expect(await gateWith("check", file)).toEqual(expected);
  expect(await gateWith("serve", file)).toEqual(expected);
});

test("check finds a file of the audit that is a folder", async () => {
  const { code, stderr } = await gateWith("check", "folder");
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "gate.yaml: audit.output.file: is not a regular file: /folder\n",
  });
});

test("check makes no file of the audit where one can be made", async () => {
  const { code, stderr } = await gateWith("check", "audit.jsonl");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

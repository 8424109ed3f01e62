import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runCommand } from "../support/run.ts";
import { codeOf } from "./markdown.ts";

const readme = resolve(import.meta.dirname, "../../apps/gateway/README.md");

test("systemd finds no fault in the units of the gateway's documentation", async () => {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-units-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const units: string[] = [];
  for (const { language, code } of codeOf(await readFile(readme, "utf8")).blocks) {
    const [, name] = /^# (\S+\.(?:service|socket))$/m.exec(code) ?? [];
    if (language !== "ini" || name === undefined) continue;
    units.push(name);
    // It looks whether the program exists.
    await writeFile(join(directory, name), code.replace("/usr/local/bin/registry-gate", process.execPath));
  }
  expect(units.toSorted()).toEqual(["registry-gate.service", "registry-gate.socket"]);
  const verified = await runCommand("systemd-analyze", ["verify", "--man=no", ...units.map((unit) => `./${unit}`)], {
    directory,
  });
  expect(verified).toEqual({ code: 0, stdout: "", stderr: "" });
});

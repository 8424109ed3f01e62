import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../support/run.ts";
import { installedCommand, systemdFile } from "./units.ts";

/** What docs/deploy-systemd.md states. Lower is better: 10 is a service without any sandbox. */
const statedExposure = 1.4;

const units = ["registry-gate.service", "registry-gate.socket"];
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-units-"));
  for (const name of units) {
    // It looks whether the program exists.
    const text = (await systemdFile(name)).replace(`ExecStart=${installedCommand} `, `ExecStart=${process.execPath} `);
    await writeFile(join(directory, name), text);
  }
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe("systemd-analyze", () => {
  test("finds no fault in the units", async () => {
    const verified = await runCommand("systemd-analyze", ["verify", "--man=no", ...units.map((unit) => `./${unit}`)], {
      directory,
    });
    expect(verified).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("rates the exposure of the service as the guide states", async () => {
    const { stdout } = await runCommand(
      "systemd-analyze",
      ["security", "--offline=true", "--no-pager", "./registry-gate.service"],
      { directory },
    );
    const [, exposure] = /exposure level for registry-gate.service: (\d+\.\d)/.exec(stdout) ?? [];
    expect(Number(exposure)).toBeLessThanOrEqual(statedExposure);
  });
});

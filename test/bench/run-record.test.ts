import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { atLeast } from "./findings.ts";
import { fixedFindings, fixedRun } from "./fixed-run.ts";
import { keepRun } from "./keep-run.ts";
import { formatRun, joinRuns, parseRun, recordSchema } from "./run-record.ts";

describe("a run as JSON", () => {
  test("is read as it was written", () => {
    expect(parseRun(formatRun(fixedRun))).toEqual(fixedRun);
  });

  test("keeps what was not measured apart from zero", () => {
    const findings = { ...fixedFindings, limits: [atLeast(1, "a rate", Number.NaN)] };
    const [read] = parseRun(formatRun({ ...fixedRun, findings: [findings] })).findings;
    expect(read?.limits).toEqual(findings.limits);
  });

  test.each([
    ["not JSON", "not JSON", "{"],
    ["of another version", "version", JSON.stringify({ ...fixedRun, version: 2 })],
    ["without findings", "findings", JSON.stringify({ ...fixedRun, findings: undefined })],
    [
      "with a limit that has two bounds",
      "bound",
      JSON.stringify({
        ...fixedRun,
        findings: [{ ...fixedFindings, limits: [{ name: "", samples: [], bound: { atLeast: 1, atMost: 2 } }] }],
      }),
    ],
  ])("%s is rejected, with the place", (_, place, text) => {
    expect(() => parseRun(text)).toThrow(place);
  });

  test("has the schema that is published beside it", async () => {
    const schema = z.toJSONSchema(recordSchema, { io: "input" });
    await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(
      join(import.meta.dirname, "run-v1.schema.json"),
    );
  });
});

describe("the file of a run", () => {
  test("is whole whenever it is read, and replaced by what came later", async () => {
    const directory = await mkdtemp(join(tmpdir(), "registry-gate-run-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, "run.json");
    await keepRun(file, { ...fixedRun, findings: [] });
    await keepRun(file, fixedRun);
    expect(parseRun(await readFile(file, "utf8"))).toEqual(fixedRun);
    expect(await readdir(directory)).toEqual(["run.json"]);
  });
});

describe("several runs", () => {
  test("are joined: the last findings of an id count, in the order of the first", () => {
    const [a, b] = [fixedFindings, { ...fixedFindings, id: "b" }];
    const later = { ...a, title: "measured later" };
    const busy = { ...fixedRun.machine, busy: 0.5 };
    const joined = joinRuns([
      { ...fixedRun, quick: false, seconds: 10, findings: [a, b] },
      { ...fixedRun, machine: busy, seconds: 5, findings: [later] },
    ]);
    expect(joined).toEqual({ ...fixedRun, machine: busy, quick: true, seconds: 15, findings: [later, b] });
  });
});

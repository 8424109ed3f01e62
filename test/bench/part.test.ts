import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { CertificateFiles } from "../support/certificate.ts";
import type { Findings } from "./findings.ts";
import { fixedFindings } from "./fixed-run.ts";
import { isFailed, onlyWhole, type Part, runParts, runStep, type Step } from "./part.ts";
import { formatFindings, missedLimits } from "./report.ts";
import { isLate, quick, quickSeconds, type Scale } from "./scale.ts";
import { createSharing } from "./shared-gate.ts";

const certificate: CertificateFiles = { certificate: "", key: "", authority: "" };
const scale: Scale = { ...quick, certificate, progress: () => {}, leavesOut: true, shared: createSharing() };

describe("a step that fails", () => {
  test("is a limit that is missed, with its reason", async () => {
    const findings = await runStep("memory", () => Promise.reject(new Error("no registry")));
    expect(missedLimits(findings)).toHaveLength(1);
    expect(findings.map(formatFindings).join("")).toBe(`memory: failed

  MISSED  measured  0.00  at least 1

  failed: no registry
`);
  });

  test("by an error that nobody waits for is a limit that is missed, beside what it has found", async () => {
    const findings = await runStep("crowds", async () => {
      void Promise.reject(new Error("connection reset"));
      await delay(1);
      return fixedFindings;
    });
    expect(findings).toMatchObject([fixedFindings, { id: "crowds.failed", notes: ["failed: connection reset"] }]);
  });

  test("to end is given up after its time", async () => {
    const findings = await runStep("growth", () => new Promise<Findings>(() => {}), 0.01);
    expect(findings).toMatchObject([{ id: "growth.failed", notes: ["failed: took longer than 0.01 s"] }]);
    expect(findings.every(isFailed)).toBe(true);
  });
});

describe("parts", () => {
  const found = async (steps: readonly Step[]): Promise<readonly string[]> => {
    const order: string[] = [];
    const parts: Part[] = [
      { name: "first", about: "", steps },
      { name: "last", about: "", steps: [async () => ({ ...fixedFindings, id: "last" })] },
    ];
    await runParts(
      parts,
      {
        scaleOf(left) {
          order.push(`${left} left`);
          return scale;
        },
        async found(findings) {
          order.push(...findings.map(({ id }) => id));
        },
      },
      { begin: () => {}, end: () => {} },
    );
    return order;
  };

  test("are all run where one of them throws, and what each has found is handed over before the next begins", async () => {
    const throws: Step = () => {
      throw new Error("thrown at once");
    };
    const order = await found([async () => fixedFindings, throws, () => Promise.reject(new Error("rejected"))]);
    const expected = [
      "4 left",
      fixedFindings.id,
      "3 left",
      "first.2.failed",
      "2 left",
      "first.3.failed",
      "1 left",
      "last",
    ];
    expect(order).toEqual(expected);
  });

  test("that a quick run of all has no time for say so, and are measured where they are named", async () => {
    const step = onlyWhole("growth", "Growth", async () => fixedFindings);
    const [leftOut] = [await step(scale)].flat();
    expect(leftOut).toMatchObject({ id: "growth", limits: [], notes: ["left out of a quick run of all parts"] });
    expect(await step({ ...scale, leavesOut: false })).toBe(fixedFindings);
  });
});

test("a quick run is late where what is left would take longer than its time", () => {
  expect(isLate(0, 24)).toBe(false);
  expect(isLate(quickSeconds * 0.7, 24)).toBe(true);
  expect(isLate(quickSeconds - 5, 1)).toBe(false);
});

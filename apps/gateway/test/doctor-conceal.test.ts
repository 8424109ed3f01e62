import { describe, expect, test } from "vitest";
import { conceal } from "../src/doctor/conceal.ts";
import type { ExaminedStep } from "../src/doctor/examination.ts";
import { findingKinds } from "../src/doctor/finding-kinds.ts";

const login = { username: "alice", password: 'canary "pass/word' };

function stepThatSays(text: string): ExaminedStep {
  return {
    ...{ step: "login", target: "https://registry.example.com", outcome: "failed", about: "login", milliseconds: 1 },
    details: { reason: text, found: [text] },
    findings: [{ id: "login-rejected", seen: text, ...findingKinds["login-rejected"] }],
    broken: true,
  };
}

describe("what a server repeats of the login", () => {
  test.each([
    ["as it is", login.password],
    ["as it was sent", Buffer.from(`alice:${login.password}`).toString("base64")],
    ["in a URL", encodeURIComponent(login.password)],
    ["in JSON", JSON.stringify(login.password).slice(1, -1)],
  ])("is not shown: %s", (_, secret) => {
    const { details, findings } = conceal(stepThatSays(`you sent ${secret}, twice: ${secret}`), login);
    const shown = "you sent [the password], twice: [the password]";
    expect(details).toEqual({ reason: shown, found: [shown] });
    expect(findings.map(({ seen }) => seen)).toEqual([shown]);
  });

  test("leaves everything else as it is", () => {
    const step = stepThatSays("alice may not push");
    expect(conceal(step, login)).toEqual(step);
    expect(conceal(step, undefined)).toBe(step);
  });
});

import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const workspace = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(workspace, path), "utf8");
const textsOf = (pattern: string): readonly string[] => globSync(pattern, { cwd: workspace }).map(read);

const gateway = textsOf("apps/gateway/src/**/*.ts").join("\n");
const packages = textsOf("packages/*/src/**/*.ts").join("\n");

/** A call of a logger with an event that is named in place. */
const logged = /\blog(?:ger)?\.(debug|info|warn|error)\(\s*\{\s*event: "([^"]+)"/g;
const loggedEvents = [...`${gateway}\n${packages}`.matchAll(logged)].map(([, level = "", event = ""]) => ({
  event,
  level,
}));
/** In the gateway, nothing else has a member `event` with a fixed text. */
const named = [...gateway.matchAll(/\bevent: "([^"]+)"|\breportRefusal\(\w+, "([^"]+)"/g)].map(
  ([, event, refusal]) => event ?? refusal ?? "",
);

/** The rows of the table in the gateway's README. */
const [, section = ""] = read("apps/gateway/README.md").split("\n## The log\n");
const spans = (cell = ""): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);
const rows = (section.split("\n### ")[0] ?? "")
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.split("|"))
  .map(([, event, levels, meaning = ""]) => ({ event: spans(event)[0] ?? "", levels: spans(levels), meaning }));

describe("the table of events in the gateway's README", () => {
  it("has every event that is logged, and no other, each once", () => {
    const all = new Set([...named, ...loggedEvents.map(({ event }) => event)]);
    expect(rows.map(({ event }) => event).sort()).toEqual([...all].sort());
  });

  it("has the levels at which events are logged", () => {
    expect(loggedEvents.length).toBeGreaterThan(20);
    const wrong = loggedEvents.filter(
      ({ event, level }) => !rows.some((row) => row.event === event && row.levels.includes(level)),
    );
    expect(wrong).toEqual([]);
  });

  it.each(rows)("says what $event means", ({ meaning, levels }) => {
    expect(meaning.trim()).not.toBe("");
    expect(levels).not.toHaveLength(0);
  });
});

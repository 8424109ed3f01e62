import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { LOGIN } from "../src/bounds.ts";
import { createLoginBudget } from "../src/directory/login-directory.ts";
import { anything } from "../src/filter/filter.ts";
import { found, scriptedSession } from "./scripted-session.ts";

const query = { base: "", scope: "base", filter: anything, attributes: [] } as const;
const { signal } = new AbortController();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
});

test("limits how long the searches of a login take together", async () => {
  const budget = createLoginBudget(1000);
  const session = budget.over(
    scriptedSession(() => {
      vi.advanceTimersByTime(1000);
      return found();
    }),
  );
  for (let count = 0; count < LOGIN.timeouts; count++) await session.search(query, signal);
  // On another connection they are the same login's.
  await expect(budget.over(scriptedSession()).search(query, signal)).resolves.toBeDefined();
  vi.advanceTimersByTime(60_000);
  await session.search(query, signal);
  await expect(session.search(query, signal)).rejects.toThrow("the searches of a login take more than 10000 ms");
});

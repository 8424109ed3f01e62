import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import durations from "./durations.json" with { type: "json" };

/** How long a test file takes that nobody has measured, in seconds: it starts behind the long ones. */
const unmeasured = 5;
const seconds = new Map(Object.entries(durations));

/**
 * Starts the test files that take longest first, so that no worker is left with a long one when the others are done.
 * A checkout that has not run its tests yet knows their sizes alone, which say little. Measured by
 * `pnpm test -- --reporter=json`.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const { root } = this.ctx.config;
    const secondsOf = ({ moduleId }: TestSpecification): number => seconds.get(relative(root, moduleId)) ?? unmeasured;
    return sorted.sort((a, b) => secondsOf(b) - secondsOf(a));
  }
}

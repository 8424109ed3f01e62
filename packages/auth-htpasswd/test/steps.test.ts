import type { Steps } from "@registry-gate/auth-kit";
import { expect, test } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { failureCost } from "../src/equal-work.ts";
import { parseGroupFile } from "../src/group-file.ts";
import { memberReporter } from "../src/report-files.ts";
import { parseUserFile, userFileSteps } from "../src/user-file.ts";

const lines = 1000;
const users = Buffer.from(
  Array.from({ length: lines }, (_, at) => `user${at}:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n`).join(""),
);

/** In how many steps something is done: between two of them, requests may be handled. */
function countSteps(steps: Steps<unknown>): number {
  let count = 0;
  while (steps.next().done !== true) count++;
  return count;
}

test("a password file is read in a step for each line and each collection that it is kept in", () => {
  expect(countSteps(userFileSteps(users, false))).toBeGreaterThanOrEqual(3 * lines);
});

test("what a failed login costs is found out in a step for each user", () => {
  const { hashes } = parseUserFile(users, false);
  expect(countSteps(failureCost(hashes.values()))).toBe(lines);
});

test("of two reports of members at the same time, the later one is written", async () => {
  const { log, lines: logged } = recordingLog();
  const report = memberReporter("groups", log);
  const groups = parseGroupFile(Buffer.from(`many: ${"x ".repeat(100_000)}\none: alice bob\n`));
  const known = (...names: string[]) =>
    parseUserFile(Buffer.from(names.map((name) => `${name}:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n`).join("")), false);
  await Promise.all([report(groups, known("x")), report(groups, known("x", "alice"))]);
  expect(logged.map(({ message }) => message)).toEqual(["not in the password file: bob"]);
});

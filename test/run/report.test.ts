import { expect, test } from "vitest";
import type { Lack } from "../programs/lack.ts";
import type { ProgramName } from "../programs/programs.ts";
import type { LeftOut } from "./choose-files.ts";
import { missingPackages, reportLeftOut, wantedByCi } from "./report.ts";

const leftOut: readonly LeftOut[] = [
  { path: "a", lacks: new Map<ProgramName, Lack>([["samba", "missing"]]) },
  {
    path: "b",
    lacks: new Map<ProgramName, Lack>([
      ["curl", "missing"],
      ["dockerd", "needs root"],
    ]),
  },
  { path: "c", lacks: new Map<ProgramName, Lack>([["curl", "missing"]]) },
  { path: "d", lacks: new Map<ProgramName, Lack>([["oci-conformance", "needs Go"]]) },
];
const debian = { debian: true, root: false };

test("says nothing where every file was run", () => {
  expect(reportLeftOut([], 7, debian)).toEqual([]);
});

test("counts the files, names what each program is wanted for, and ends with the line that installs it", () => {
  expect(reportLeftOut(leftOut, 7, debian)).toEqual([
    "not run: 4 of 7 test files, for want of what they start",
    "  curl             2 test files: install the Debian package curl",
    "  dockerd          1 test file: only root can run it",
    "  oci-conformance  1 test file: pnpm test builds it where Go 1.26 or newer is installed",
    "  samba            1 test file: install the Debian packages samba-ad-dc samba-ad-provision",
    "to run them: sudo apt-get install --no-install-recommends curl samba-ad-dc samba-ad-provision",
  ]);
});

test("gives a line for root to root, and names Debian's packages to others", () => {
  expect(reportLeftOut(leftOut, 7, { debian: true, root: true }).at(-1)).toBe(
    "to run them: apt-get install --no-install-recommends curl samba-ad-dc samba-ad-provision",
  );
  expect(reportLeftOut(leftOut, 7, { debian: false, root: false }).at(-1)).toBe(
    "to run them, install what Debian has in these packages: curl samba-ad-dc samba-ad-provision",
  );
});

test("knows what can be installed and what CI must have", () => {
  expect(missingPackages(leftOut)).toEqual(["curl", "samba-ad-dc", "samba-ad-provision"]);
  expect(wantedByCi(leftOut)).toEqual(["curl", "dockerd", "samba"]);
});

import { describe, expect, test } from "vitest";
import { fixedRun } from "./fixed-run.ts";
import { markdownRun, updatePage } from "./markdown.ts";

describe("the tables of a run for a page of documentation", () => {
  test("have medians, the spread of the first column, limits and notes", () => {
    expect(
      markdownRun(fixedRun),
    ).toBe(`Quick run of 2026-11-28, 61 s: 2 × A Processor, 8 GiB, Linux 6.1.0; Node 26.10.0, nginx 1.22.1, wrk 4.1.0; load 0.50 at the start.

### GET of a manifest, plain HTTP, 16 connections

|                 | requests/s |      min–max | first ÷ it | p99 ms |
| --------------- | ---------: | -----------: | ---------: | -----: |
| **gate**        |     10,000 | 9,900–10,500 |       1.00 |   2.10 |
| recipe, \\<apr1> |      2,500 |  2,400–2,600 |       4.04 |        |

- kept: rate ÷ recipe 4.04, at least 4
- **missed**: p99 ms 2.10, at most 2

oauth2-proxy is left out: Go 1.26 or newer is missing`);
  });

  test("take the place between the marks of the page", () => {
    const page = "before\n<!-- pnpm bench: begin -->\nold\n<!-- pnpm bench: end -->\nafter\n";
    const updated = "before\n<!-- pnpm bench: begin -->\n\nnew\n\n<!-- pnpm bench: end -->\nafter\n";
    expect(updatePage(page, "new")).toBe(updated);
    expect(updatePage(updated, "new")).toBe(updated);
    expect(() => updatePage("no marks", "new")).toThrow(TypeError);
  });
});

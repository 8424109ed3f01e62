import { describe, expect, test } from "vitest";
import { fixedFindings, fixedRun, withSamples } from "./fixed-run.ts";
import { htmlReport } from "./html.ts";

const page = htmlReport(fixedRun);

describe("the page of a run", () => {
  test("needs nothing from elsewhere and runs nothing", () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son\w+=|https?:/i);
  });

  test("escapes what it is made of", () => {
    expect(page).toContain("recipe, &lt;apr1&gt;");
    expect(page).not.toContain("<apr1>");
    const title = `"><script>`;
    expect(htmlReport({ ...fixedRun, findings: [{ ...fixedFindings, title }] })).not.toContain("<script>");
  });

  test("says which limits are kept and which are missed, in words", () => {
    expect(page).toContain("✗ 1 of 2 limits missed");
    expect(page).toContain('<span class="kept">✓ kept</span> rate ÷ recipe: <b>4.04</b>, at least 4');
    expect(page).toContain('<span class="missed">✗ missed</span> p99 ms: <b>2.10</b>, at most 2');
  });

  test("draws a bar for each row by its median, with a line from the least to the most of the rounds", () => {
    expect(page.match(/<rect width="[\d.]+"/g)).toEqual(['<rect width="952.4"', '<rect width="238.1"']);
    expect(page).toContain('d="M942.9 10H1000.0M942.9 5V15M1000.0 5V15"');
    expect(page).toContain("requests/s, more is better");
  });

  test("draws nothing where there is no figure", () => {
    const none = htmlReport({ ...fixedRun, findings: [{ ...fixedFindings, rows: [{ name: "gate", samples: {} }] }] });
    expect(none).not.toContain("<svg");
    expect(htmlReport({ ...fixedRun, findings: [{ ...fixedFindings, columns: [], rows: [] }] })).not.toContain(
      "<table",
    );
    expect(none).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("marks what is worse than in an earlier run", () => {
    const worse = htmlReport(withSamples("gate", "p99", [3, 3.1, 3.2]), fixedRun);
    expect(worse).toContain("<td>2.10</td><td>3.10</td><td>1.48</td><td>worse</td>");
    expect(page).not.toContain("earlier run");
  });

  test("warns of a busy machine", () => {
    expect(page).not.toContain("busy");
    const busy = { ...fixedRun, machine: { ...fixedRun.machine, busy: 0.4 } };
    expect(htmlReport(busy)).toContain("the machine is busy: others used 40 % of its cores at the start");
  });
});

import { describe, expect, test } from "vitest";
import { compareRuns } from "./compare.ts";
import { judge } from "./intended-differences.ts";
import type { TestResult } from "./report.ts";
import { readReport } from "./report.ts";

const rule = "=".repeat(80);
const line = "-".repeat(80);

function exchange(method: string, url: string, status: number, headers: Readonly<Record<string, string>> = {}): string {
  const fields = Object.entries(headers).map(([name, value]) => `  ${name.padStart(25)}: [${value}]\n`);
  return [
    `${rule}\n~~~ REQUEST ~~~\nMethod: ${method}\nURL: http://127.0.0.1:5000${url}\nHeaders:\n--- Empty body ---\n`,
    `${line}\n~~~ RESPONSE ~~~\nStatus: ${status}\nHeaders:\n${fields.join("")}--- Empty body ---\n${rule}\n`,
  ].join("");
}

function report(...tests: { name: string; status: string; output?: string; message?: string }[]): string {
  const quoted = (text: string) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&#34;").replaceAll("\n", "&#xA;");
  const cases = tests.map(
    ({ name, status, output = "", message = "" }) =>
      `    <testcase name="${quoted(name)}" classname="" status="${status}">
      <system-out>${quoted(message)}</system-out>
      <system-err>${quoted(output)}</system-err>
    </testcase>`,
  );
  return `<testsuites tests="1">\n  <testsuite name="OCI">\n${cases.join("\n")}\n  </testsuite>\n</testsuites>`;
}

const [state, digest] = ["_state=abc", `sha256:${"0".repeat(64)}`];
const upload = "/v2/a/blobs/uploads/0f9a1c3e-1111-2222-3333-444455556666";

describe("a report", () => {
  test("is read test by test, without what chance decides", () => {
    const output =
      exchange("PUT", `${upload}?${state}&digest=${digest}`, 201, { Location: "http://x", Date: "now" }) +
      exchange("GET", "/v2/", 200, { "Content-Type": "text/plain", "Docker-Distribution-Api-Version": "registry/2.0" });
    const message = 'expected "a" & <b>';
    expect(readReport(report({ name: "a/b", status: "failure", output, message }))).toEqual([
      {
        name: "a/b",
        outcome: "failure",
        message,
        exchanges: [
          "PUT /v2/a/blobs/uploads/<upload>?_state=<state>&digest=sha256:<hex> -> 201 Location",
          "GET /v2/ -> 200 Content-Type=[text/plain], Docker-Distribution-Api-Version=[registry/2.0]",
        ],
      },
    ]);
  });

  test("leaves out the question that was asked again with credentials, and no other refusal", () => {
    const challenged = exchange("GET", "/v2/", 401) + exchange("GET", "/v2/", 200) + exchange("GET", "/v2/a", 401);
    const [result] = readReport(report({ name: "a", status: "passed", output: challenged }));
    expect(result?.exchanges).toEqual(["GET /v2/ -> 200", "GET /v2/a -> 401"]);
  });

  test.each(["<testsuites/>", "", report({ name: "a", status: "fine" })])("rejects an invalid report: %j", (xml) => {
    expect(() => readReport(xml)).toThrow(/the suite's report has/);
  });
});

describe("two runs", () => {
  const result = (name: string, outcome: TestResult["outcome"], ...exchanges: string[]): TestResult => ({
    name,
    outcome,
    message: "",
    exchanges,
  });

  test("are alike where tests of one name come in another order", () => {
    const tests = [result("a", "passed", "x"), result("a", "passed", "y"), result("b", "skipped")];
    expect(compareRuns(tests, tests.toReversed())).toEqual([]);
  });

  test("differ in an outcome, in an exchange, and in how many there are", () => {
    const direct = [
      result("a", "passed"),
      result("b", "passed", "GET 200"),
      result("c", "passed"),
      result("c", "passed"),
    ];
    const gate = [
      result("a", "failure"),
      result("b", "passed", "GET 206"),
      result("c", "passed"),
      result("d", "passed"),
    ];
    expect(compareRuns(direct, gate)).toEqual([
      { name: "a", direct: ["passed"], throughGate: ["failure"] },
      { name: "b", direct: ["passed\n      GET 200"], throughGate: ["passed\n      GET 206"] },
      { name: "c", direct: ["passed"], throughGate: [] },
      { name: "d", direct: [], throughGate: ["passed"] },
    ]);
  });
});

describe("a difference", () => {
  const name = "OCI Conformance Test/invalid-digest-format/manifest-put";

  test("is intended where it is listed, for that registry, and the gate passes", () => {
    const better = { name, direct: ["failure"], throughGate: ["passed"] };
    const worse = { name, direct: ["failure"], throughGate: ["error"] };
    expect(judge("docker-registry", [better])).toMatchObject({ intended: [{ difference: better }], unexpected: [] });
    expect(judge("docker-registry", [worse])).toMatchObject({ intended: [], unexpected: [worse] });
    expect(judge("embedded", [better])).toEqual({ intended: [], unexpected: [better], stale: [] });
  });

  test("reports a listed difference that does not occur", () => {
    expect(judge("docker-registry", []).stale).toContain(name);
  });
});

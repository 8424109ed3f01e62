import { XMLParser } from "fast-xml-parser";

/** The words of the suite's report. */
export const outcomes = ["passed", "skipped", "failure", "error"] as const;
export type Outcome = (typeof outcomes)[number];

/** One test of the suite, a leaf of its tree. Several tests may have one name. */
export interface TestResult {
  readonly name: string;
  readonly outcome: Outcome;
  /** What the suite found wrong; empty where nothing was. */
  readonly message: string;
  /** Requests and responses, in order, without what chance or the address decides. */
  readonly exchanges: readonly string[];
}

/** Reads the suite's `junit.xml`. Throws where it is not what the suite writes. */
export function readReport(xml: string): TestResult[] {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    isArray: (name) => name === "testsuite" || name === "testcase",
    // The suite writes line feeds and quotes as numeric references, which this alone makes the parser read.
    htmlEntities: true,
    processEntities: { enabled: true, maxTotalExpansions: Number.POSITIVE_INFINITY, maxExpandedLength: xml.length },
  });
  const document: unknown = parser.parse(xml);
  const suites = list(field(field(document, "testsuites"), "testsuite"));
  const results = suites.flatMap((suite) => list(field(suite, "testcase"))).map(readTest);
  if (results.length === 0) throw new Error("the suite's report has no test");
  return results;
}

function readTest(test: unknown): TestResult {
  const status = text(test, "status");
  const outcome = outcomes.find((word) => word === status);
  if (outcome === undefined) throw new Error(`the suite's report has the unknown status ${status}`);
  return {
    name: text(test, "name"),
    outcome,
    message: text(test, "system-out").trim(),
    exchanges: readExchanges(text(test, "system-err")),
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === "string" ? found : "";
}

/** What a client of a registry goes by. Of these the value is compared, or where chance decides it, the presence. */
const comparedByValue = ["Content-Type", "Docker-Distribution-Api-Version", "Www-Authenticate"];
const comparedByPresence = [
  "Content-Length",
  "Content-Range",
  "Docker-Content-Digest",
  "Link",
  "Location",
  "Oci-Filters-Applied",
  "Oci-Subject",
  "Range",
];

function readExchanges(output: string): string[] {
  // What a client asks of a token endpoint is no registry's.
  const exchanges = output
    .split(/^=+\n~~~ REQUEST ~~~\n/m)
    .slice(1)
    .map(readExchange)
    .filter(({ asked }) => !asked.startsWith("GET /v2/auth?"));
  // The suite asks without credentials first, and again when it is told to.
  return exchanges
    .filter(({ asked, status }, index) => !(status === "401" && exchanges[index + 1]?.asked === asked))
    .map(({ asked, status, headers }) => `${asked} -> ${status} ${headers}`.trimEnd());
}

function readExchange(output: string): { asked: string; status: string; headers: string } {
  const [request = "", response = ""] = output.split(/^-+\n~~~ RESPONSE ~~~\n/m);
  const method = /^Method: (\S+)$/m.exec(request)?.[1] ?? "?";
  const path = /^URL: \w+:\/\/[^/]+(\S*)$/m.exec(request)?.[1] ?? "?";
  const byValue = comparedByValue.flatMap((name) => {
    const value = headerOf(response, name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const byPresence = comparedByPresence.filter((name) => headerOf(response, name) !== undefined);
  return {
    asked: `${method} ${withoutChance(path)}`,
    status: /^Status: (\d+)$/m.exec(response)?.[1] ?? "no response",
    headers: [...byValue, ...byPresence].join(", "),
  };
}

function headerOf(response: string, name: string): string | undefined {
  return new RegExp(`^ +${name}: (\\[.*\\])$`, "m").exec(response)?.[1];
}

function withoutChance(path: string): string {
  return path
    .replaceAll(/[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}/g, "<upload>")
    .replaceAll(/(sha\d+)(?::|%3A)[a-f0-9]{64,}/g, "$1:<hex>")
    .replaceAll(/_state=[^&]*/g, "_state=<state>")
    .replaceAll(/manifests\/missing-[a-z0-9]+/g, "manifests/missing-<random>");
}

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { addressSet } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { clientOf } from "../src/client/client.ts";
import { forwardedHeaders } from "../src/forward/forwarded-headers.ts";
import { upstreamHeaders } from "../src/forward/request-headers.ts";
import { upstreamTarget } from "../src/route/upstream-target.ts";
import { receivedRequest } from "./received-request.ts";
import { routes } from "./route/generated-routes.ts";

const workspace = join(import.meta.dirname, "../../..");
const page = readFileSync(join(workspace, "docs/threat-model.md"), "utf8");

type Row = Readonly<Record<string, string>>;

/** The rows of the table below a heading, by the heads of its columns. */
function table(heading: string): readonly Row[] {
  const section = page.slice(page.indexOf(`### ${heading}\n`)).split(/\n##/)[0] ?? "";
  const [head = [], , ...rows] = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ""])));
}

const code = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
const operations = Object.keys(forwardedHeaders);
const operationsOf = ({ operations: cell = "" }: Row): string[] => (cell === "all" ? operations : code(cell));
const needed = table("Request headers that an operation needs");
const own = table("Request headers that the gate writes itself");
const parameters = table("Query parameters");

test("names each header that an operation needs, and whether other values are refused", () => {
  const said = needed.flatMap((row) =>
    operationsOf(row).map((operation) => {
      const refused = /^4\d\d/.exec(row["other values"] ?? "")?.[0];
      return `${operation} ${code(row.name).join()} ${refused ?? "sent on"}`;
    }),
  );
  const done = Object.entries(forwardedHeaders).flatMap(([operation, headers]) =>
    headers.map(({ name, refusal }) => `${operation} ${name} ${refusal?.status ?? "sent on"}`),
  );
  expect(said.sort()).toEqual(done.sort());
});

test("names each header that the gate writes itself", async () => {
  const request = await receivedRequest({
    method: "PUT",
    address: "10.0.0.1",
    headers: [
      ["X-Forwarded-Host", "a"],
      ["Content-Length", "1"],
    ],
  });
  const client = clientOf(request, addressSet(["10.0.0.1"]));
  const { headers = {} } = upstreamHeaders(request, client, new Set(), "put-manifest");
  expect(own.flatMap((row) => code(row.name)).sort()).toEqual(Object.keys(headers).sort());
});

test("names each parameter of each operation", () => {
  const written = new Set<string>();
  fc.assert(
    fc.property(routes, (route) => {
      for (const name of new URL(upstreamTarget(route), "http://registry").searchParams.keys()) {
        written.add(`${route.operation} ${name}`);
      }
    }),
    { numRuns: 5000 },
  );
  const said = parameters.flatMap((row) =>
    operationsOf(row).map((operation) => `${operation} ${code(row.name).join()}`),
  );
  expect(said.sort()).toEqual([...written].sort());
});

test("names tests that exist", () => {
  const files = [...needed, ...own, ...parameters].flatMap((row) => {
    const named = code(row.tests);
    expect(named, row.name).not.toEqual([]);
    return named;
  });
  for (const file of new Set(files)) {
    const directory = file.startsWith("test/") ? workspace : import.meta.dirname;
    expect(existsSync(join(directory, file)), file).toBe(true);
  }
});

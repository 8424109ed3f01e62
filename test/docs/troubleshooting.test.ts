import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

const workspace = resolve(import.meta.dirname, "../..");

/** What the project's own programs can say, and who reads the page looks for. */
const sources = ["{packages,apps}/*/src/**/*.ts", "test/{run,programs,packages}/**/*.ts"];

/** What others say: npm, shells, clients, browsers, proxies and Node. */
const foreign: ReadonlySet<string> = new Set([
  "npx canceled due to missing packages and no YES option",
  "error while loading shared libraries: libatomic.so.1",
  "registry-gate: command not found",
  "x509: certificate signed by unknown authority",
  "No 'Access-Control-Allow-Origin' header is present",
  "no basic auth credentials",
  "400 Bad Request",
  "server gave HTTP response to HTTPS client",
  "Missing expected CR",
  "connect() to unix:… failed (13: Permission denied)",
]);

/** Messages that are put together, and the parts that stand in the code. */
const composed: Readonly<Record<string, readonly string[]>> = {
  "skipped 1 value of memberOf": ["skipped"],
  "* begins an alias in YAML": ["begins ", "an alias", "in YAML where"],
  "! begins a tag": ["begins ", "a tag"],
  "{ begins a map": ["begins ", "a map"],
  "must be text: write group:NAME without a space, in quotes": [
    "must be text: write",
    "NAME without a space, in quotes",
  ],
  "must be text: put it in quotes": ["must be text", "put it in quotes"],
  "listen.socketMode: must be a mode in quotes": ["must be a mode in quotes"],
  "listen.address: must be host:port, …": ["must be host:port, "],
  "not ready: registry (…)": ["not ready: ", "registry"],
  "not ready: gate (stopping)": ["not ready: ", '"gate"', '"stopping"'],
  "admin.address: is taken by listen.address": ["is taken by listen.address"],
};

interface Section {
  readonly title: string;
  /** Of each row, what stands under "what you see". */
  readonly symptoms: readonly string[];
}

let sections: readonly Section[];
let code: string;

beforeAll(async () => {
  sections = sectionsOf(await readFile(join(workspace, "docs/troubleshooting.md"), "utf8"));
  const files = globSync(sources, { cwd: workspace });
  code = (await Promise.all(files.map((file) => readFile(join(workspace, file), "utf8")))).join("\n");
});

function sectionsOf(markdown: string): Section[] {
  const [, ...parts] = markdown.split(/^## /m);
  return parts.map((part) => {
    const lines = part.split("\n");
    const [, , ...rows] = lines.filter((line) => line.startsWith("|"));
    return { title: lines[0] ?? "", symptoms: rows.map((row) => row.split(" | ")[0]?.slice(1).trim() ?? "") };
  });
}

/** The messages that are quoted in a symptom. What has no blank is a name, and what begins with a command is one. */
function messagesIn(symptom: string): string[] {
  return [...symptom.matchAll(/`([^`]+)`/g)]
    .map(([, text = ""]) => text)
    .filter((text) => text.includes(" ") && !/^(?:docker|check|explain) /.test(text));
}

describe("the page for troubleshooting", () => {
  test("has rows in each of its sections", () => {
    expect(sections.map(({ title }) => title)).toContain("Registries");
    expect(sections.filter(({ symptoms }) => symptoms.length === 0)).toEqual([]);
  });

  test("quotes what the programs say, letter by letter", () => {
    const messages = sections.flatMap(({ symptoms }) => symptoms.flatMap(messagesIn));
    expect(messages.length).toBeGreaterThan(30);
    const partsOf = (message: string): readonly string[] =>
      composed[message] ?? message.split(/…|\b[NM]\b|\d+/).filter((part) => part.trim().length > 3);
    const unknown = messages.filter(
      (message) => !foreign.has(message) && !partsOf(message).every((part) => code.includes(part.trim())),
    );
    expect(unknown).toEqual([]);
  });

  test("quotes no message that is listed here and no longer there", () => {
    const messages = new Set(sections.flatMap(({ symptoms }) => symptoms.flatMap(messagesIn)));
    expect([...foreign, ...Object.keys(composed)].filter((message) => !messages.has(message))).toEqual([]);
  });
});

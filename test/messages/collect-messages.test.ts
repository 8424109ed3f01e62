import { describe, expect, it } from "vitest";
import { collectMessages } from "./collect-messages.ts";

const collect = (source: string) => collectMessages("source.ts", source);

describe("collectMessages", () => {
  it.each([
    ["error", 'throw new RangeError("broken");'],
    ["log", 'log.warn({ file }, "broken");'],
    ["output", 'process.stderr.write("broken");'],
    ["reason", 'const finding = { status: "rejected", reason: "broken" };'],
    ["fault", 'faults.push({ path: ["listen"], message: "broken" });'],
    ["response", 'send({ status: 400, code: "UNSUPPORTED", message: "broken" });'],
  ])("finds a message of one word by its place: %s", (kind, source) => {
    expect(collect(source)).toEqual([{ kind, text: "broken" }]);
  });

  it("finds a sentence that is put together elsewhere", () => {
    expect(collect('export const why = (late: boolean) => (late ? "it took too long" : "EOF");')).toEqual([
      { kind: "text", text: "it took too long" },
    ]);
  });

  it("shows what is filled in as a hole, and joins the parts of a text", () => {
    expect(collect('throw new Error(`the file ${path} is` + " broken: " + reason);')).toEqual([
      { kind: "error", text: "the file {…} is broken: {…}" },
    ]);
  });

  it("finds a sentence within a hole", () => {
    expect(collect('log.info({}, `${count} lines${more ? " and others too" : ""}`);')).toEqual([
      { kind: "log", text: "{…} lines{…}" },
      { kind: "log", text: "and others too" },
    ]);
  });

  it.each([
    'import { a } from "not a message";',
    'type Text = "not a message";',
    'if (text === "not a message") run();',
    'const schema = { description: "not a message" };',
    'const header = { "Content-Type": "text/plain; charset=utf-8" };',
    'run("word");',
  ])("leaves out what is no message: %s", (source) => {
    expect(collect(source)).toEqual([]);
  });

  it("rejects a source that cannot be parsed", () => {
    expect(() => collect("const = ;")).toThrow(SyntaxError);
  });
});

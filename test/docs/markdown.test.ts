import { describe, expect, it } from "vitest";
import { ownCommands } from "./commands.ts";
import { codeOf } from "./markdown.ts";

describe("codeOf", () => {
  it("finds blocks with their language, line and output", () => {
    const markdown = "# Title\n\n```ts\none();\n\ntwo();\n```\n\n```text\n12\n```\n\n    pnpm test\n";
    expect(codeOf(markdown).blocks).toEqual([
      { language: "ts", code: "one();\n\ntwo();", line: 3, output: "12" },
      { language: "text", code: "12", line: 9, output: undefined },
      { language: "", code: "pnpm test", line: 13, output: undefined },
    ]);
  });

  it("does not take a block behind prose for output", () => {
    const [block] = codeOf("```ts\none();\n```\n\nA picture:\n\n```text\n-->\n```\n").blocks;
    expect(block?.output).toBeUndefined();
  });

  it("finds spans in the prose, also over two lines, and blocks within lists", () => {
    const { blocks, spans } = codeOf("- A `pnpm gate\n  check` and `x`.\n\n  ```sh\n  echo `no`\n  ```\n");
    expect(spans).toEqual(["pnpm gate check", "x"]);
    expect(blocks.map(({ language, code }) => [language, code])).toEqual([["sh", "echo `no`"]]);
  });
});

describe("ownCommands", () => {
  it.each([
    ["registry-gate check --config FILE", [{ program: "registry-gate", subcommand: "check" }]],
    ["npx pnpm@12 demo     # comment; pnpm no", [{ program: "pnpm", script: "demo" }]],
    ["A=1 npx --yes pnpm@12 run test", [{ program: "pnpm", script: "test" }]],
    ["npm install express registry-gate pnpm", []],
    ["echo hello | registry-gate passwd \\\n  users bob", [{ program: "registry-gate", subcommand: "passwd" }]],
    [
      "cd x && pnpm gate serve",
      [
        { program: "pnpm", script: "gate" },
        { program: "registry-gate", subcommand: "serve" },
      ],
    ],
    ["npx registry-gate schema", [{ program: "registry-gate", subcommand: "schema" }]],
    ["pnpm exec registry-gate schema", [{ program: "registry-gate", subcommand: "schema" }]],
  ])("reads %j", (shell, expected) => {
    expect(ownCommands(shell)).toEqual(expected);
  });
});

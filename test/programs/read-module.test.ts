import { describe, expect, it } from "vitest";
import { readModule } from "./read-module.ts";

const read = (text: string) => readModule(text, "module.ts");

describe("readModule", () => {
  it.each([
    ["an import", 'import { a } from "./a.ts";', ["./a.ts"]],
    ["an import for its effect", 'import "./a.ts";', ["./a.ts"]],
    ["an import of types and more", 'import { type A, b } from "./a.ts";', ["./a.ts"]],
    ["an export from another module", 'export { a } from "./a.ts"; export * from "./b.ts";', ["./a.ts", "./b.ts"]],
    ["an import at run time", 'const { a } = await import("./a.ts");', ["./a.ts"]],
    ["an import of types", 'import type { A } from "./a.ts"; import { type B } from "./b.ts";', []],
    ["an export of types", 'export type { A } from "./a.ts"; export type * from "./b.ts";', []],
    ["an import of a package", 'import { a } from "@registry-gate/core"; import "node:fs";', []],
  ])("follows %s as far as it leads to a module that runs", (_, text, imports) => {
    expect(read(text).imports).toEqual(imports);
  });

  it.each([
    ["run", 'await run("curl", ["-s"]);', ["curl"]],
    ["runCommand", 'const verify = () => runCommand("htpasswd", ["-v"]);', ["htpasswd"]],
    ["startable", 'spawn(startable("script"), []);', ["script"]],
    ["a server's command", 'startServer({ port, command: "nginx", parameters: [] });', ["nginx"]],
    ["a declaration", 'startedIndirectly("docker", "skopeo");', ["docker", "skopeo"]],
  ])("finds what is started by %s", (_, text, started) => {
    expect(read(text).started).toEqual(started);
  });

  it("finds nothing in other texts and calls", () => {
    const text = 'run(program, ["curl"]); stage.run("nginx"); const text = `run("curl")`; // run("curl")';
    expect(read(text).started).toEqual([]);
  });

  it("finds modules that start processes or listen", () => {
    expect(read('import { spawn } from "node:child_process";')).toMatchObject({ spawns: true, listens: false });
    expect(read('import type { ChildProcess } from "node:child_process";')).toMatchObject({ spawns: false });
    expect(read('createServer().listen(0, "127.0.0.1");')).toMatchObject({ spawns: false, listens: true });
  });

  it("refuses what is not TypeScript", () => {
    expect(() => read("const = ;")).toThrow();
  });
});

import { globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ownCommands } from "./commands.ts";
import { codeOf } from "./markdown.ts";
import { referencesOf } from "./references.ts";

const workspace = resolve(import.meta.dirname, "../..");
const documents = globSync(["*.md", "{.github,docs,packages,apps,test}/**/*.md"], {
  cwd: workspace,
  exclude: (path) => /(?:^|\/)(?:node_modules|dist|html)(?:\/|$)/.test(path),
}).sort();

/** Where paths may begin beside the root: documents about core say so, or stand in the package. */
const shortcuts = ["packages/core/src", "packages/core/test"];

function exists(path: string): boolean {
  if (path.includes("*")) return globSync(path, { cwd: workspace }).length > 0;
  return statSync(join(workspace, path), { throwIfNoEntry: false }) !== undefined;
}

function readDocument(path: string): ReturnType<typeof referencesOf> {
  return referencesOf(readFileSync(join(workspace, path), "utf8"));
}

/** Why a link leads nowhere; `undefined` for one that leads somewhere, or out of the workspace. */
function linkFault(document: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? document : join(dirname(document), path);
  if (!exists(target)) return `${link}: there is no ${target}`;
  if (anchor === undefined) return undefined;
  return readDocument(target).anchors.includes(anchor) ? undefined : `${link}: there is no such heading`;
}

describe("a document", () => {
  it("is found in every folder that has some", () => {
    const folders = ["README.md", ".github/CONTRIBUTING.md", "docs/architecture.md", "packages/core/README.md"];
    expect(documents).toEqual(expect.arrayContaining(folders));
  });

  it.each(documents)("has links that lead somewhere: %s", (document) => {
    expect(readDocument(document).links.flatMap((link) => linkFault(document, link) ?? [])).toEqual([]);
  });

  it.each(documents)("names paths that exist: %s", (document) => {
    const beginnings = ["", dirname(document), ...shortcuts];
    const missing = readDocument(document).paths.filter(
      (path) => !beginnings.some((beginning) => exists(join(beginning, path))),
    );
    expect(missing).toEqual([]);
  });

  it.each(documents)("has links that lead to the path that they show: %s", (document) => {
    const wrong = readDocument(document).linkedPaths.filter(({ path, link }) => {
      const target = link.replace(/\/?(?:#.*)?$/, "");
      return !target.endsWith(path) && !target.endsWith(`${path}/README.md`);
    });
    expect(wrong).toEqual([]);
  });
});

describe("a command for contributors", () => {
  const pages = documents.filter((path) => /^(?:docs|\.github|test)\//.test(path));
  const { scripts }: { scripts: object } = JSON.parse(readFileSync(join(workspace, "package.json"), "utf8"));

  it.each(pages)("names a script of the workspace, or one of pnpm: %s", (page) => {
    const { blocks, spans } = codeOf(readFileSync(join(workspace, page), "utf8"));
    const shell = [...spans, ...blocks.filter(({ language }) => language === "sh").map(({ code }) => code)];
    const used = shell.flatMap(ownCommands).flatMap((command) => (command.program === "pnpm" ? [command.script] : []));
    expect(used.filter((script) => !(script in scripts) && !/^(?:install|exec|pack)$/.test(script))).toEqual([]);
  });
});

describe("the index of docs/", () => {
  it("leads to every page", () => {
    const linked = readDocument("docs/README.md").links.map((link) => join("docs", link));
    const pages = documents.filter((path) => path.startsWith("docs/") && path !== "docs/README.md");
    expect(pages.filter((page) => !linked.includes(page))).toEqual([]);
  });
});

describe("test/README.md", () => {
  it("has every folder of test/", () => {
    const folders = globSync("test/*/", { cwd: workspace })
      .map((path) => relative("test", path))
      .filter((name) => name !== "node_modules");
    const linked = readDocument("test/README.md").links.map((link) => link.replace(/\/$/, ""));
    expect(folders).not.toHaveLength(0);
    expect(folders.filter((name) => !linked.includes(name))).toEqual([]);
  });
});

describe("referencesOf", () => {
  it("finds links, pictures and definitions", () => {
    const { links } = referencesOf("[a](b.md) ![c](d.png) [e][f]\n\n[f]: g.md#h\n");
    expect(links).toEqual(["b.md", "d.png", "g.md#h"]);
  });

  it("distinguishes linked paths from others", () => {
    const { paths, linkedPaths } = referencesOf("[`a/b.ts`](../src/a/b.ts), [a `c/d.ts`](e.md)\n");
    expect(paths).toEqual(["c/d.ts"]);
    expect(linkedPaths).toEqual([{ path: "a/b.ts", link: "../src/a/b.ts" }]);
  });

  it.each([
    ["packages/core/src", true],
    ["test/", true],
    ["packages/*/test", true],
    ["forward/forward.ts", true],
    ["forward.ts", false],
    ["team/app", false],
    ["packages/core has", false],
    ["application/json", false],
  ])("takes %j for a path: %s", (span, isPath) => {
    expect(referencesOf(`\`${span}\``).paths).toEqual(isPath ? [span] : []);
  });

  it("makes anchors as GitHub does", () => {
    const { anchors } = referencesOf("# The `Location` header, and *why*\n\n## What is done about …\n");
    expect(anchors).toEqual(["the-location-header-and-why", "what-is-done-about-"]);
  });
});

import { fromMarkdown } from "mdast-util-from-markdown";

/** What a Markdown file refers to. */
export interface References {
  /** The targets of its links and pictures, as they are written. */
  readonly links: readonly string[];
  /** The code spans in its prose that can be nothing but paths with a slash, those in links left out. */
  readonly paths: readonly string[];
  /** Links whose text is a path, or the name of a file. */
  readonly linkedPaths: readonly { readonly path: string; readonly link: string }[];
  /** The anchors of its headings, as GitHub makes them. */
  readonly anchors: readonly string[];
}

type Node = ReturnType<typeof fromMarkdown>["children"][number];

/** The folders at the root of the workspace: what begins with one of them is a path. */
const rooted = /^(?:\.changeset|\.ci|\.github|apps|docs|packages|test)\/[\w.*/-]*$/;
/** A file, perhaps in a folder that its reader knows. */
const file = /^(?:[\w.-]+\/)*[\w.-]+\.(?:ts|js|json|md|yml|yaml)$/;

/** Finds the references in a Markdown file (CommonMark, and tables as text). */
export function referencesOf(markdown: string): References {
  const links: string[] = [];
  const paths: string[] = [];
  const linkedPaths: { path: string; link: string }[] = [];
  const anchors: string[] = [];
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (node.type === "link" || node.type === "image" || node.type === "definition") links.push(node.url);
      if (node.type === "inlineCode" && isPath(node.value) && node.value.includes("/")) paths.push(node.value);
      if (node.type === "heading") anchors.push(anchorOf(textOf(node)));
      if (node.type === "link" && isPath(textOf(node))) linkedPaths.push({ path: textOf(node), link: node.url });
      else if ("children" in node) visit(node.children);
    }
  };
  visit(fromMarkdown(markdown).children);
  return { links, paths, linkedPaths, anchors };
}

function isPath(text: string): boolean {
  return rooted.test(text) || file.test(text);
}

function textOf(node: Node): string {
  if ("value" in node) return node.value;
  return "children" in node ? node.children.map(textOf).join("") : "";
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .replaceAll(" ", "-");
}

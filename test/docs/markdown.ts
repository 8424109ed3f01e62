import { fromMarkdown } from "mdast-util-from-markdown";

/** A block of code in a Markdown file. */
export interface CodeBlock {
  /** The first word behind the opening fence, such as `ts`; empty for a block without one. */
  readonly language: string;
  readonly code: string;
  /** The number of the block's first line, from 1. */
  readonly line: number;
  /** What the next block shows, where it is one of `text` with nothing between the two. */
  readonly output: string | undefined;
}

/** The code in a Markdown file. */
export interface Code {
  readonly blocks: readonly CodeBlock[];
  /** The contents of the `code spans` in its prose, each in one line. */
  readonly spans: readonly string[];
}

type Node = ReturnType<typeof fromMarkdown>["children"][number];

/** Finds all code in a Markdown file (CommonMark). */
export function codeOf(markdown: string): Code {
  const blocks: CodeBlock[] = [];
  const spans: string[] = [];
  const visit = (nodes: readonly Node[]): void => {
    for (const [index, node] of nodes.entries()) {
      if (node.type === "inlineCode") spans.push(node.value.replace(/\s+/g, " "));
      else if (node.type === "code") blocks.push(codeBlock(node, nodes[index + 1]));
      else if ("children" in node) visit(node.children);
    }
  };
  visit(fromMarkdown(markdown).children);
  return { blocks, spans };
}

function codeBlock(node: Extract<Node, { type: "code" }>, next: Node | undefined): CodeBlock {
  return {
    language: node.lang ?? "",
    code: node.value,
    line: node.position?.start.line ?? 0,
    output: next?.type === "code" && next.lang === "text" ? next.value : undefined,
  };
}

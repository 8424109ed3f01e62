import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { codeOf } from "../docs/markdown.ts";

const readme = fileURLToPath(new URL("../../packages/auth-sso/README.md", import.meta.url));

/** The address of the gate in the documentation. */
const gate = "127.0.0.1:5043";

/**
 * A whole server of the documentation, as somebody would fill it in: another port, no TLS, and other addresses.
 *
 * @param language Of the block.
 * @param mark What stands in this block alone.
 * @param replacements Of texts, each of which must be there.
 */
export async function documentedFront(
  language: "nginx" | "apache",
  mark: string,
  replacements: Readonly<Record<string, string>>,
): Promise<string> {
  const { blocks } = codeOf(await readFile(readme, "utf8"));
  const found = blocks.filter((block) => block.language === language && block.code.includes(mark));
  const [block] = found;
  if (block === undefined || found.length > 1) throw new Error(`there is not one block of ${language} with ${mark}`);
  let text = block.code.replace(/^ *(?:ssl_certificate|ssl_certificate_key|SSL\w+) .*\n/gm, "");
  for (const [from, to] of Object.entries(replacements)) {
    if (!text.includes(from)) throw new Error(`the block of ${language} with ${mark} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** Lets a front reach the gate at another port. */
export function gateAt(port: number): Readonly<Record<string, string>> {
  return { [gate]: `127.0.0.1:${port}` };
}

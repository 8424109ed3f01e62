import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "rolldown";

/** Adds the licences of what is part of the bundle and not of this project, as these licences demand. */
export const notices: Plugin = {
  name: "notices",
  generateBundle(_, bundle) {
    const packages = new Map<string, string>();
    for (const each of Object.values(bundle)) {
      if (each.type !== "chunk") continue;
      for (const id of each.moduleIds) {
        const root = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
        if (root !== undefined) packages.set(root, "");
      }
    }
    const texts = [...packages.keys()].map(noticeOf).sort();
    this.emitFile({ type: "asset", fileName: "THIRD-PARTY.txt", source: `${introduction}\n${texts.join("\n")}` });
  },
};

const introduction = `The command registry-gate contains code of the following packages.
`;

/** @throws {Error} when the package has no text of its licence. */
function noticeOf(root: string): string {
  const { name, version, license }: { name: string; version: string; license: string } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const file = readdirSync(root).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} ${version} (${license}) has no text of its licence`);
  const text = readFileSync(join(root, file), "utf8").trim();
  return `${"-".repeat(80)}\n${name} ${version} (${license})\n\n${text}\n`;
}

import { globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, it } from "vitest";
import { collectMessages } from "./collect-messages.ts";

const workspace = resolve(import.meta.dirname, "../..");

const howToUpdate = `Messages in the sources and in test/messages/messages.txt differ. Read the new ones as a user would; then update
the list by: npx --yes pnpm@12 exec vitest run test/messages -u`;

const introduction = `Every message that users can see, by package and room, with {…} for what is filled in. A word in brackets says where a
message appears; without one, it is a part of a message, or help. Written by test/messages/messages.test.ts: do not edit.
`;

/** Every message, sorted, by package and room. */
function listMessages(): string {
  const rooms = new Map<string, Set<string>>();
  for (const path of globSync("{packages,apps}/*/src/**/*.ts", { cwd: workspace })) {
    const room = dirname(path).replace("/src", "");
    const lines = rooms.get(room) ?? new Set();
    rooms.set(room, lines);
    for (const { kind, text } of collectMessages(path, readFileSync(join(workspace, path), "utf8"))) {
      lines.add(kind === "text" ? text : `${text}  [${kind}]`);
    }
  }
  return [...rooms]
    .filter(([, lines]) => lines.size > 0)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([room, lines]) => `== ${room}\n${[...lines].sort().join("\n")}\n`)
    .join("\n");
}

it("lists every message that users can see, so that a change of one is reviewed", async () => {
  const list = join(import.meta.dirname, "messages.txt");
  await expect(`${introduction}\n${listMessages()}`, howToUpdate).toMatchFileSnapshot(list);
});

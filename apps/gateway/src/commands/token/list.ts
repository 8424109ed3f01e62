import { printableJson } from "../../printable.ts";
import { UsageError } from "../command.ts";
import { type OpenState, withTokens } from "./open-tokens.ts";
import { parseSelection, selectTokens } from "./selection.ts";
import { tokenJson, tokenTable } from "./token-text.ts";

/** Prints a table of tokens, or, with `--json`, a list. */
export async function list(parameters: readonly string[], openState: OpenState): Promise<number> {
  const selection = parseSelection(parameters);
  if (selection.name !== undefined) throw new UsageError(`unexpected ${selection.name}`);
  return withTokens(selection.file, openState, async ({ tokens }) => {
    const found = await selectTokens(tokens, selection);
    const text = selection.json ? `${printableJson(found.map(tokenJson), 2)}\n` : tokenTable(found);
    process.stdout.write(text);
    return 0;
  });
}

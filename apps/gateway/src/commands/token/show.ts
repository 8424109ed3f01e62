import { printableJson } from "../../printable.ts";
import { type OpenState, withTokens } from "./open-tokens.ts";
import { parseSelection, selectToken } from "./selection.ts";
import { tokenDetails, tokenJson } from "./token-text.ts";

/** Prints everything about one token, but for the token itself, which nobody knows. */
export async function show(parameters: readonly string[], openState: OpenState): Promise<number> {
  const selection = parseSelection(parameters);
  return withTokens(selection.file, openState, async ({ tokens }) => {
    const found = await selectToken(tokens, selection);
    if (found.token === undefined) {
      process.stderr.write(`registry-gate token show: ${found.fault}\n`);
      return 1;
    }
    const { token } = found;
    process.stdout.write(selection.json ? `${printableJson(tokenJson(token), 2)}\n` : tokenDetails(token));
    return 0;
  });
}

import { describeToken, ownerName } from "../../audit/audited-token.ts";
import { type OpenState, withTokens } from "./open-tokens.ts";
import { parseSelection, selectToken } from "./selection.ts";

/** Revokes one token: a running gate that shares the state refuses it within a second. */
export async function revoke(parameters: readonly string[], openState: OpenState): Promise<number> {
  const selection = parseSelection(parameters);
  return withTokens(selection.file, openState, async ({ tokens, record }) => {
    const found = await selectToken(tokens, selection);
    if (found.token === undefined) {
      process.stderr.write(`registry-gate token revoke: ${found.fault}\n`);
      return 1;
    }
    const { id, name, owner } = found.token;
    await tokens.revoke(id);
    await record("revoked", describeToken(found.token));
    process.stdout.write(`${name} of ${ownerName(owner)} is revoked\n`);
    return 0;
  });
}

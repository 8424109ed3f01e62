import type { AccessTokens, ListedAccessToken } from "@registry-gate/access-tokens";
import { ownerName } from "../../audit/audited-token.ts";
import { type Command, parseCommandLine, UsageError } from "../command.ts";
import { configHelp, configOption } from "../config-file.ts";

/** Which tokens a command is about. */
export interface Selection {
  readonly file: string;
  /** The name or the id of a token. */
  readonly name: string | undefined;
  readonly owner: string | undefined;
  readonly robot: string | undefined;
  readonly json: boolean;
}

/** What is said of the options in the help of a command. */
export const selectionHelp: Command["details"] = [
  configHelp,
  "  --owner USER       the tokens of this user alone",
  "  --robot NAME       the tokens of this robot alone",
];

/** @throws {UsageError} */
export function parseSelection(parameters: readonly string[]): Selection {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    allowPositionals: true,
    options: {
      ...configOption,
      owner: { type: "string" },
      robot: { type: "string" },
      json: { type: "boolean" },
    },
  });
  const [name, surplus] = positionals;
  const { config: file, owner, robot, json = false } = values;
  if (surplus !== undefined) throw new UsageError(`unexpected ${surplus}`);
  if (file === undefined) throw new UsageError("--config FILE is required");
  if (owner !== undefined && robot !== undefined) throw new UsageError("--owner and --robot exclude each other");
  return { file, name, owner: owner?.normalize("NFC"), robot, json };
}

/** The tokens that are meant, in the order of their creation. */
export async function selectTokens(
  tokens: AccessTokens,
  { name, owner, robot }: Selection,
): Promise<readonly ListedAccessToken[]> {
  const all = await tokens.list();
  return all.filter(
    (token) =>
      (name === undefined || token.name === name || token.id === name) &&
      (owner === undefined || (token.owner.kind === "user" && token.owner.username === owner)) &&
      (robot === undefined || (token.owner.kind === "robot" && token.owner.name === robot)),
  );
}

/** The one token that is meant, or why there is none: one line. */
export async function selectToken(
  tokens: AccessTokens,
  selection: Selection,
): Promise<{ readonly token: ListedAccessToken } | { readonly token: undefined; readonly fault: string }> {
  const { name } = selection;
  if (name === undefined) throw new UsageError("NAME is required");
  const [token, ...others] = await selectTokens(tokens, selection);
  if (token === undefined) return { token: undefined, fault: `there is no access token ${name}` };
  if (others.length === 0) return { token };
  const ids = [token, ...others].map((one) => `${one.id} of ${ownerName(one.owner)}`);
  return {
    token: undefined,
    fault: `several access tokens are called ${name}: say which by its id: ${ids.join(", ")}`,
  };
}

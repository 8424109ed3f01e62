import { didYouMean } from "@registry-gate/auth-kit";
import { type Command, UsageError } from "../command.ts";
import { create, createHelp } from "./create.ts";
import { list } from "./list.ts";
import type { OpenState } from "./open-tokens.ts";
import { revoke } from "./revoke.ts";
import { selectionHelp } from "./selection.ts";
import { show } from "./show.ts";

const actions: Readonly<Record<string, (parameters: readonly string[], openState: OpenState) => Promise<number>>> = {
  create,
  list,
  show,
  revoke,
};

/** Makes the command that creates, lists and revokes access tokens. */
export function createTokenCommand(openState: OpenState): Command {
  return {
    name: "token",
    synopsis: "create|list|show|revoke --config FILE …",
    summary: "create, list and revoke access tokens of people and robots",
    details: [
      ...createHelp,
      "",
      "The token is printed alone on standard output, this once: only its SHA-256 is stored.",
      "",
      "token list   --config FILE [--owner USER | --robot NAME] [--json]",
      "token show   --config FILE [--owner USER | --robot NAME] [--json] NAME",
      "token revoke --config FILE [--owner USER | --robot NAME] NAME",
      "",
      ...selectionHelp,
      "  --json             print JSON",
      "  NAME               the name of a token, or its id",
      "",
      "The configuration needs a backend of the type access-token. Tokens are kept in its state, by default in state.db beside",
      "the configuration. What is changed holds on running gates that share the state within a second.",
      "",
      "Exit code: 0, or 1 with one line for each thing that is wrong.",
    ],
    async run([action, ...parameters]) {
      const names = Object.keys(actions);
      if (action === undefined) throw new UsageError(`one of ${names.join(", ")} is required`);
      const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
      if (act === undefined)
        throw new UsageError(`${action} is not one of ${names.join(", ")}${didYouMean(action, names)}`);
      return act(parameters, openState);
    },
  };
}

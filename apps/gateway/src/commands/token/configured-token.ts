import type { Command } from "../command.ts";
import { openConfiguredState } from "./open-state.ts";
import { createTokenCommand } from "./token.ts";

/** The command `token`, with the store that the configuration names. */
export const token: Command = createTokenCommand(openConfiguredState);

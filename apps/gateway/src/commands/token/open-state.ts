import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { openState } from "@registry-gate/state";
import { defaultState } from "../../state/default-state.ts";
import type { OpenState } from "./open-tokens.ts";

/** Opens the state of a configuration: what a running gate of it uses. */
export const openConfiguredState: OpenState = async ({ configuration, directory }) => {
  try {
    const state = await openState(configuration.state ?? defaultState(directory), { directory });
    return { state, close: () => state.close() };
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    const inState = ({ path, message }: Fault): Fault => ({ path: ["state", ...path], message });
    throw new InvalidOptionsError(error.faults.map(inState), { cause: error });
  }
};

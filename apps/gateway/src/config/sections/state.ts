import { type StateOptions, stateOptionsSchema } from "@registry-gate/state";
import { type Section, withAbsolute } from "../section.ts";

/** Where failed logins are counted and tokens are kept. */
export type StateConfiguration = StateOptions;

export const stateSection: Section<StateConfiguration> = {
  schema: stateOptionsSchema,
  withAbsolutePaths: (state, absolute) => ("file" in state ? withAbsolute(state, ["file"], absolute) : state),
};

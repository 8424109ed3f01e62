import type { AuthBackend, AuthBackendPlugin, BackendContext } from "@registry-gate/auth";
import type { z } from "zod";
import { fileOptionsSchema } from "../options/duration.ts";
import { parseOptions } from "../options/parse-options.ts";

/** What a plugin is made of. */
export interface PluginDefinition<Options> {
  /** The `type` that a configuration selects it by: the name of the package, for a third party's. */
  readonly type: string;
  /** What `open` is given, `type` taken out. */
  readonly options: z.ZodType<Options>;
  /**
   * Makes a backend of options that keep to the schema.
   *
   * @throws {InvalidOptionsError} for what the schema cannot say, such as a file that is missing.
   */
  open(options: Options, context: BackendContext): Promise<AuthBackend> | AuthBackend;
}

/** Makes what a backend package exports as `plugin`: options are checked before `open`, and editors get their schema. */
export function definePlugin<Options>({ type, options, open }: PluginDefinition<Options>): AuthBackendPlugin {
  return {
    type,
    apiVersion: 1,
    optionsSchema: fileOptionsSchema(options),
    open: async (given, context) => open(parseOptions(options, given), context),
  };
}

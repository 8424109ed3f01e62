import { z } from "zod";
import { type Section, withAbsolute } from "../section.ts";
import { text } from "../value-schemas.ts";

/** The keys by which the gate signs tokens and seals what clients carry back. */
export interface KeysConfiguration {
  /** A JWK set, as `registry-gate keys` writes it. */
  readonly file: string;
}

const schema: z.ZodType<KeysConfiguration> = z.strictObject(
  { file: text().describe("A JWK set that replicas share, made by registry-gate keys, followed when it changes") },
  "must hold file",
);

export const keysSection: Section<KeysConfiguration> = {
  schema,
  substitutes: [{ path: [], value: undefined }],
  withAbsolutePaths: (keys, absolute) => withAbsolute(keys, ["file"], absolute),
};

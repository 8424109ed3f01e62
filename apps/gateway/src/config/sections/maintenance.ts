import { z } from "zod";
import { type Section, withAbsolute } from "../section.ts";
import { text, trueOrFalse } from "../value-schemas.ts";

export interface MaintenanceConfiguration {
  /** Whether writes are refused. */
  readonly readOnly?: boolean;
  /** Writes are refused for as long as this file exists. */
  readonly file?: string;
}

export const maintenanceSection: Section<MaintenanceConfiguration> = {
  schema: z.strictObject(
    {
      readOnly: trueOrFalse().describe("Whether writes get 503, live; false by default").exactOptional(),
      file: text()
        .describe("A file whose existence means the same, for scripts that make and remove it; its content is not read")
        .exactOptional(),
    },
    "must hold readOnly or file",
  ),
  withAbsolutePaths: (maintenance, absolute) => withAbsolute(maintenance, ["file"], absolute),
};

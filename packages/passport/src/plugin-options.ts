import type { Credentials, Duration } from "@registry-gate/auth";
import { credentialHeaderOption, durationOption } from "@registry-gate/auth-kit";
import { z } from "zod";
import { formFields, maxCredentialBytes, schemes, text } from "./option-schemas.ts";
import type { FormFields } from "./strategy-request.ts";

/** What a configuration can say beside `type: passport`. */
export interface PassportPluginOptions {
  /** A package, or a file that begins with `./`, `../` or `/`; looked for from the configuration's directory. */
  readonly module: string;
  /** What of the module to use. Default `Strategy`, or else what it exports by default. */
  readonly export?: string;
  /** What the strategy, or the function that makes it, is given. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Files whose text becomes an option, by the option's path, such as `server.bindCredentials`. */
  readonly optionFiles?: Readonly<Record<string, string>>;
  /** Where in the strategy's user the name is. Default `username`. */
  readonly usernameField?: string;
  /** Where a stable identifier is. Default: the name. */
  readonly subjectField?: string;
  /** Where the groups are. Default `groups`, which may be missing. */
  readonly groupsField?: string;
  readonly emailField?: string;
  readonly nameField?: string;
  readonly schemes?: readonly Credentials["scheme"][];
  readonly credentialHeaders?: readonly string[];
  readonly formFields?: FormFields;
  /** The longest password or token that the strategy is asked about, in bytes. Default 12,288. */
  readonly maxCredentialBytes?: number;
  readonly timeout?: Duration;
}

const field = (what: string): z.ZodString =>
  text(what).regex(/^[^.]+(?:\.[^.]+)*$/, "must be the name of a field, or names with dots between them");

/** The options, as `plugin` checks them. */
export const schema: z.ZodType<PassportPluginOptions> = z.strictObject(
  {
    module: text("A package, or a file that begins with ./"),
    export: text("What of the module to use; Strategy by default, or else its default export").exactOptional(),
    options: z.record(z.string(), z.unknown(), "must hold the strategy's options").exactOptional(),
    optionFiles: z
      .record(field("The path of an option"), text("A file with its text"), "must map options to files")
      .describe("Files whose text becomes an option, by the option's path")
      .exactOptional(),
    usernameField: field("Where in the strategy's user the name is; username by default").exactOptional(),
    subjectField: field("Where a stable identifier is; the name by default").exactOptional(),
    groupsField: field("Where the groups are; groups by default").exactOptional(),
    emailField: field("Where an e-mail address is").exactOptional(),
    nameField: field("Where a name for people is").exactOptional(),
    schemes: schemes.describe("Which credentials the strategy is asked about; all by default").exactOptional(),
    credentialHeaders: z
      .array(credentialHeaderOption(), "must be a list")
      .describe("Headers that the strategy reads beside Authorization")
      .exactOptional(),
    formFields: formFields.describe("Where a strategy that reads a form finds the login").exactOptional(),
    maxCredentialBytes: maxCredentialBytes
      .describe("The longest password or token that the strategy is asked about; 12288 by default")
      .exactOptional(),
    timeout: durationOption("How long the strategy may take; 10s by default").exactOptional(),
  },
  "must be an object with module",
);

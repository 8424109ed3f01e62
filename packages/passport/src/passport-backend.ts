import {
  type AuthBackend,
  type Credentials,
  type Duration,
  type Fault,
  InvalidOptionsError,
  parseDuration,
  timerDelay,
} from "@registry-gate/auth";
import { optionFaults } from "@registry-gate/auth-kit";
import { z } from "zod";
import { judgeOutcome } from "./judge-outcome.ts";
import { aFunction, formFields, schemes, text, timeout } from "./option-schemas.ts";
import type { SignedIn } from "./signed-in.ts";
import { isStrategy, type PassportStrategy, runStrategy } from "./strategy.ts";
import { type FormFields, secretsOf, strategyRequest } from "./strategy-request.ts";

/** What {@link passportBackend} can be told. */
export interface PassportBackendOptions {
  /** Says who a strategy's user is; `info` is what it gives beside it. What this throws is a fault: nobody is let in. */
  identity(user: unknown, info: unknown): SignedIn | Promise<SignedIn>;
  /** The {@link AuthBackend.id}. Default: the strategy's name. */
  readonly id?: string;
  /** Which credentials the strategy is asked about. Default: all. */
  readonly schemes?: readonly Credentials["scheme"][];
  /** Headers that the strategy reads beside `Authorization`, in lower case. Default: none. */
  readonly credentialHeaders?: readonly string[];
  /** Where a strategy that reads a form finds a Basic login. */
  readonly formFields?: FormFields;
  /** How long the strategy may take. Default 10 seconds. */
  readonly timeout?: Duration;
  /** Passport's second argument of `authenticate`. Default: none. */
  readonly authenticateOptions?: object;
  /** Lets go of whatever the strategy holds; called once, when the backend is closed. */
  close?(): Promise<void> | void;
}

/**
 * Makes a backend of a passport strategy.
 *
 * A strategy that redirects or passes has not judged the credentials: the backend abstains. An error, and no answer in
 * time, are faults, and so is a success that is nobody.
 *
 * @throws {InvalidOptionsError} with every fault.
 */
export function passportBackend(strategy: PassportStrategy, options: PassportBackendOptions): AuthBackend {
  const faults = faultsOf(strategy, options);
  if (faults.length > 0) throw new InvalidOptionsError(faults);
  const { id = strategy.name ?? "passport", schemes = ["basic", "bearer"], credentialHeaders = [] } = options;
  const fields = { username: "username", password: "password", ...options.formFields };
  const timeout = timerDelay(parseDuration(options.timeout ?? "10s") ?? 0);
  let closed: Promise<void> | undefined;

  return {
    id,
    ...(credentialHeaders.length > 0 && { credentialHeaders: [...credentialHeaders] }),
    async authenticate(request) {
      const { signal } = request;
      const scheme = request.credentials?.scheme;
      const credentials = scheme !== undefined && schemes.includes(scheme) ? request.credentials : undefined;
      const named = credentialHeaders.some((name) => request.header(name).length > 0);
      if (credentials === undefined && !named) return { status: "abstained" };
      const made = strategyRequest({ request, credentials, credentialHeaders, fields });
      if ("fault" in made) return { status: "rejected", reason: made.fault };
      // Before the strategy can change them.
      const secrets = secretsOf(made, fields);
      const patience = { timeout, signal };
      const outcome = await runStrategy(strategy, made, { ...options.authenticateOptions }, patience);
      const identity = (user: unknown, info: unknown) => options.identity(user, info);
      return judgeOutcome(outcome, { id, identity, credentials, patience, secrets });
    },
    async close() {
      closed ??= Promise.resolve(options.close?.());
      await closed;
    },
  };
}

const schema: z.ZodType<PassportBackendOptions> = z.strictObject(
  {
    identity: aFunction<PassportBackendOptions["identity"]>(),
    id: text("The id of the backend").exactOptional(),
    schemes: schemes.exactOptional(),
    credentialHeaders: z
      .array(
        z.string("must be text").regex(/^(?!authorization$)[a-z0-9-]+$/, "must be the name of a header, in lower case"),
        "must be a list",
      )
      .exactOptional(),
    formFields: formFields.exactOptional(),
    timeout: timeout.exactOptional(),
    authenticateOptions: z
      .custom<object>((value) => typeof value === "object" && value !== null, "must be an object")
      .exactOptional(),
    close: aFunction<NonNullable<PassportBackendOptions["close"]>>().exactOptional(),
  },
  "must be an object with identity",
);

function faultsOf(strategy: unknown, options: unknown): Fault[] {
  const faults = [...optionFaults(schema, options)];
  if (!isStrategy(strategy)) return [{ path: [], message: "is no strategy" }, ...faults];
  const named = strategy.name !== "" || (typeof options === "object" && options !== null && "id" in options);
  return named ? faults : [{ path: ["id"], message: "is required: the strategy has no name" }, ...faults];
}

import {
  type AuthBackend,
  BackendUnavailableError,
  type Credentials,
  type Duration,
  type Fault,
  InvalidOptionsError,
  type Logger,
  parseDuration,
  timerDelay,
} from "@registry-gate/auth";
import {
  durationOption,
  type ErrorContainment,
  functionOption,
  guardProcess,
  isCredentialHeader,
  isLogger,
  optionFaults,
  silentLog,
  warnOnce,
} from "@registry-gate/auth-kit";
import { z } from "zod";
import { judgeOutcome, strategyFailed } from "./judge-outcome.ts";
import { formFields, maxCredentialBytes, schemes, text } from "./option-schemas.ts";
import type { SignedIn } from "./signed-in.ts";
import { isStrategy, type PassportStrategy, runStrategy } from "./strategy.ts";
import { strategyErrors } from "./strategy-errors.ts";
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
  /** The longest password or token that the strategy is asked about, in bytes. Default 12,288. */
  readonly maxCredentialBytes?: number;
  /**
   * Is told of groups that no rule can name, once of each kind, and of errors that nobody caught and that are no single
   * login's. Default: such errors are warnings of the process.
   */
  readonly log?: Logger;
  /** Lets go of whatever the strategy holds; called once, when the backend is closed. */
  close?(): Promise<void> | void;
}

/**
 * Makes a backend of a passport strategy.
 *
 * A strategy that redirects or passes has not judged the credentials: the backend abstains. An error, and no answer in
 * time, are faults, and so is a success that is nobody.
 *
 * So is what the strategy throws where nobody can catch it: in a timer or an event, or as a rejection that nobody awaits.
 * For this, the process listens for uncaught errors from now on, as `guardProcess` of `@registry-gate/auth-kit` does.
 *
 * @throws {InvalidOptionsError} with every fault.
 */
export function passportBackend(strategy: PassportStrategy, options: PassportBackendOptions): AuthBackend {
  const faults = faultsOf(strategy, options);
  if (faults.length > 0) throw new InvalidOptionsError(faults);
  return strategyBackend(strategy, options, strategyErrors(options.id ?? strategy.name ?? "passport", options.log));
}

/**
 * The same for a strategy that was made within a containment.
 *
 * @param options That have no fault.
 */
export function strategyBackend(
  strategy: PassportStrategy,
  options: PassportBackendOptions,
  errors: ErrorContainment,
): AuthBackend {
  guardProcess();
  const { id = strategy.name ?? "passport", schemes = ["basic", "bearer"], credentialHeaders = [] } = options;
  const fields = { username: "username", password: "password", ...options.formFields };
  const timeout = timerDelay(parseDuration(options.timeout ?? "10s") ?? 0);
  let closed: Promise<void> | undefined;
  const warn = warnOnce(options.log ?? silentLog);
  const passedOver = (reason: string): void => warn({ backend: id, reason }, `a group that ${reason} is passed over`);

  return {
    id,
    ...(credentialHeaders.length > 0 && { credentialHeaders: [...credentialHeaders] }),
    ...(options.maxCredentialBytes !== undefined && { maxCredentialBytes: options.maxCredentialBytes }),
    async authenticate(request) {
      const scheme = request.credentials?.scheme;
      const credentials = scheme !== undefined && schemes.includes(scheme) ? request.credentials : undefined;
      const named = credentialHeaders.some((name) => request.header(name).length > 0);
      if (credentials === undefined && !named) return { status: "abstained" };
      const made = strategyRequest({ request, credentials, credentialHeaders, fields });
      if ("fault" in made) return { status: "rejected", reason: made.fault };
      // Before the strategy can change them.
      const secrets = secretsOf(made, fields);
      const over = new AbortController();
      const patience = { timeout, signal: AbortSignal.any([request.signal, over.signal]) };
      const identity = (user: unknown, info: unknown) => options.identity(user, info);
      const judging = { id, identity, credentials, patience, secrets, passedOver };
      try {
        return await errors.run(async () => {
          const outcome = await runStrategy(strategy, made, { ...options.authenticateOptions }, patience);
          return judgeOutcome(outcome, judging);
        });
      } catch (error) {
        over.abort();
        throw error instanceof BackendUnavailableError ? error : strategyFailed(judging, error);
      }
    },
    async close() {
      closed ??= Promise.resolve(options.close?.());
      await closed;
    },
  };
}

const schema: z.ZodType<PassportBackendOptions> = z.strictObject(
  {
    identity: functionOption<PassportBackendOptions["identity"]>(),
    id: text("The id of the backend").exactOptional(),
    schemes: schemes.exactOptional(),
    credentialHeaders: z
      .array(
        z.string("must be text").refine(isCredentialHeader, "must be the name of a header, in lower case"),
        "must be a list",
      )
      .exactOptional(),
    formFields: formFields.exactOptional(),
    timeout: durationOption("How long it may take").exactOptional(),
    authenticateOptions: z
      .custom<object>((value) => typeof value === "object" && value !== null, "must be an object")
      .exactOptional(),
    maxCredentialBytes: maxCredentialBytes.exactOptional(),
    log: z.custom<Logger>(isLogger, "must have the methods debug, info, warn and error").exactOptional(),
    close: functionOption<NonNullable<PassportBackendOptions["close"]>>().exactOptional(),
  },
  "must be an object with identity",
);

function faultsOf(strategy: unknown, options: unknown): Fault[] {
  const faults = [...optionFaults(schema, options)];
  if (!isStrategy(strategy)) return [{ path: [], message: "is no strategy" }, ...faults];
  const named = strategy.name !== "" || (typeof options === "object" && options !== null && "id" in options);
  return named ? faults : [{ path: ["id"], message: "is required: the strategy has no name" }, ...faults];
}

import {
  type AuthBackend,
  type BackendContext,
  BackendUnavailableError,
  type Credentials,
  type Duration,
  InvalidOptionsError,
  type Logger,
  parseDuration,
  timerDelay,
} from "@registry-gate/auth";
import {
  backendContext,
  durationOption,
  type ErrorContainment,
  functionOption,
  guardProcess,
  isCredentialHeader,
  parseOptions,
  warnOnce,
} from "@registry-gate/auth-kit";
import { z } from "zod";
import { judgeOutcome, strategyFailed } from "./judge-outcome.ts";
import { formFields, maxCredentialBytes, schemes } from "./option-schemas.ts";
import type { SignedIn } from "./signed-in.ts";
import { isStrategy, type PassportStrategy, runStrategy } from "./strategy.ts";
import { strategyErrors } from "./strategy-errors.ts";
import { type FormFields, secretsOf, strategyRequest } from "./strategy-request.ts";

/** The options of {@link passportBackend}. */
export interface PassportBackendOptions {
  readonly strategy: PassportStrategy;
  /**
   * Maps a strategy's user to an identity; `info` is the second argument of the strategy's `success`. An error that it
   * throws is a fault: the login fails.
   */
  identity(user: unknown, info: unknown): SignedIn | Promise<SignedIn>;
  /** The credentials that are passed to the strategy. Default: all. */
  readonly schemes?: readonly Credentials["scheme"][];
  /** Headers that the strategy reads beside `Authorization`, in lower case. Default: none. */
  readonly credentialHeaders?: readonly string[];
  /** Where a strategy that reads a form finds a Basic login. */
  readonly formFields?: FormFields;
  /** How long the strategy may take. Default 10 seconds. */
  readonly timeout?: Duration;
  /** Passport's second argument of `authenticate`. Default: none. */
  readonly authenticateOptions?: object;
  /** The longest password or token that is passed to the strategy, in bytes. Default 12,288. */
  readonly maxCredentialBytes?: number;
  /** Releases the strategy's resources. Called once, when the backend is closed. */
  close?(): Promise<void> | void;
}

/**
 * Makes a backend of a passport strategy.
 *
 * A strategy that redirects or passes has not judged the credentials: the backend abstains. These are faults: an error, a
 * timeout, and a success without a user.
 *
 * An error that the strategy throws where nobody can catch it is a fault too: in a timer, in an event, or as an unhandled
 * rejection. For this, the process listens for uncaught errors from now on, as `guardProcess` of
 * `@registry-gate/auth-kit` does.
 *
 * @param context Defaults: the strategy's name as id, the current directory, and no log. Without a log, uncaught errors
 * that belong to no single login are warnings of the process.
 * @throws {InvalidOptionsError} with every fault.
 */
export async function passportBackend(
  options: PassportBackendOptions,
  context: Partial<BackendContext> = {},
): Promise<AuthBackend> {
  const { strategy } = parseOptions(schema, options);
  const { id, log } = backendContext(context, strategy.name ?? "passport");
  if (id === "") {
    throw new InvalidOptionsError([{ path: ["context", "id"], message: "is required: the strategy has no name" }]);
  }
  return strategyBackend(options, { id, log }, strategyErrors(id, context.log));
}

/**
 * Does the same for a strategy that was made within a containment.
 *
 * @param options Valid options.
 */
export function strategyBackend(
  options: PassportBackendOptions,
  { id, log }: { readonly id: string; readonly log: Logger },
  errors: ErrorContainment,
): AuthBackend {
  guardProcess();
  const { strategy, schemes = ["basic", "bearer"], credentialHeaders = [] } = options;
  const fields = { username: "username", password: "password", ...options.formFields };
  const timeout = timerDelay(parseDuration(options.timeout ?? "10s") ?? 0);
  let closed: Promise<void> | undefined;
  const warn = warnOnce(log);
  const skipped = (reason: string): void => warn({ backend: id, reason }, `skipped a group that ${reason}`);

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
      const deadline = { timeout, signal: AbortSignal.any([request.signal, over.signal]) };
      const identity = (user: unknown, info: unknown) => options.identity(user, info);
      const judging = { id, identity, credentials, deadline, secrets, skipped };
      try {
        return await errors.run(async () => {
          const outcome = await runStrategy(strategy, made, { ...options.authenticateOptions }, deadline);
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
    strategy: z.custom<PassportStrategy>(isStrategy, "must be a passport strategy"),
    identity: functionOption<PassportBackendOptions["identity"]>(),
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
    close: functionOption<NonNullable<PassportBackendOptions["close"]>>().exactOptional(),
  },
  "must be an object with strategy and identity",
);

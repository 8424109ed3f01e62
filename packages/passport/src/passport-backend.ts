import {
  type AuthBackend,
  type Credentials,
  type Duration,
  type Fault,
  InvalidOptionsError,
  parseDuration,
} from "@registry-gate/auth";
import { judgeOutcome } from "./judge-outcome.ts";
import type { SignedIn } from "./signed-in.ts";
import { type PassportStrategy, runStrategy } from "./strategy.ts";
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
  const { id = strategy.name ?? "passport", schemes = ["basic", "bearer"], credentialHeaders = [] } = options;
  const fields = { username: "username", password: "password", ...options.formFields };
  const timeout = parseDuration(options.timeout ?? "10s") ?? 0;
  const faults = faultsOf(strategy, { id, credentialHeaders, timeout });
  if (faults.length > 0) throw new InvalidOptionsError(faults);
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

function faultsOf(
  strategy: PassportStrategy,
  { id, credentialHeaders, timeout }: { id: string; credentialHeaders: readonly string[]; timeout: number },
): Fault[] {
  const faults: Fault[] = [];
  if (typeof strategy.authenticate !== "function") faults.push({ path: [], message: "is no strategy" });
  if (id === "") faults.push({ path: ["id"], message: "is empty" });
  if (timeout === 0) faults.push({ path: ["timeout"], message: "must be a duration such as 500ms, 5s or 1m" });
  for (const [index, name] of credentialHeaders.entries()) {
    if (/^[a-z0-9-]+$/.test(name) && name !== "authorization") continue;
    faults.push({ path: ["credentialHeaders", index], message: "must be the name of a header, in lower case" });
  }
  return faults;
}

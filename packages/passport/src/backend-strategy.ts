import type { IncomingMessage } from "node:http";
import {
  type AuthBackend,
  type Duration,
  type Fault,
  type Identity,
  InvalidOptionsError,
  parseDuration,
  timerDelay,
} from "@registry-gate/auth";
import {
  backendFault,
  basicCredentials,
  containmentOf,
  durationOption,
  formatChallenge,
  functionOption,
  optionFaults,
  trustedProxiesOption,
} from "@registry-gate/auth-kit";
import {
  type Authenticator,
  createAuthenticator,
  type LoginThrottle,
  type ThrottleOptions,
  throttleSchema,
  type Verdict,
} from "@registry-gate/core";
import { z } from "zod";
import { formFields, text } from "./option-schemas.ts";
import type { StrategyActions } from "./strategy.ts";
import type { FormFields } from "./strategy-request.ts";
import { TooManyFailuresError } from "./too-many-failures-error.ts";

/** The options of {@link backendStrategy}. */
export interface BackendStrategyOptions {
  /** The name that passport knows the strategy by. Default: the backend's id, or the ids of several with `+` between. */
  readonly name?: string;
  /**
   * Where the credentials are: in the request's headers, or in the body of a form that something has parsed before, and
   * there alone. Default `headers`.
   */
  readonly from?: "headers" | "form";
  /** What the fields of the form are called. */
  readonly formFields?: FormFields;
  /** The realm of the Basic challenge. Default `Registry realm`. Not beside an authenticator, which has its own. */
  readonly realm?: string;
  /** How long the backend may take. Default 30 seconds. */
  readonly timeout?: Duration;
  /**
   * How failed logins are limited, or the throttle that the registry's logins share, so that one count holds for both.
   * `false`: not at all. Default: limited, by a count of the strategy's own. Not beside an authenticator.
   */
  readonly throttle?: ThrottleOptions | LoginThrottle | false;
  /** The load balancers in front, as in the options of `registryProxy`. Default none. Not beside an authenticator. */
  readonly trustedProxies?: readonly string[];
  /** Makes the app's user of an identity. Default: the identity itself. */
  user?(identity: Identity): unknown;
}

/** A strategy for `passport.use`. */
export interface BackendStrategy {
  readonly name: string;
  /** Called by passport, once for each request. */
  authenticate(this: StrategyActions, request: IncomingMessage): void;
}

/** What the strategy will do, once all is known. */
type Act = (actions: StrategyActions) => void;

/**
 * Makes a passport strategy of a backend, or of the authenticator that the registry uses, so that an app's own login asks
 * whom the registry asks. With the authenticator, failed logins count for both together, and a login that one of them has
 * checked is remembered for the other.
 *
 * What is rejected, what nobody knows, and a request that brings noResult is a failure with 401; two different users in one
 * request are one with 400. That a backend cannot answer is an error whose `status` is 503. It never passes: that would
 * let everybody through. Where too many logins have failed, no backend is asked, and there is an error whose `status`
 * is 429, with `Retry-After` among its `headers`.
 *
 * @param source An authenticator stays the caller's to close.
 * @throws {InvalidOptionsError} with every fault.
 */
export function backendStrategy(
  source: AuthBackend | Authenticator,
  options: BackendStrategyOptions = {},
): BackendStrategy {
  const faults = faultsOf(source, options);
  if (faults.length > 0) throw new InvalidOptionsError(faults);
  const authenticator = isAuthenticator(source) ? source : authenticatorOf(source, options);
  const { from = "headers" } = options;
  const name = options.name ?? authenticator.backends.map(({ id }) => id).join("+");
  const fields = { username: "username", password: "password", ...options.formFields };
  const timeout = timerDelay(parseDuration(options.timeout ?? "30s") ?? 0);

  function judge(request: IncomingMessage, signal: AbortSignal): Verdict | Promise<Verdict> | undefined {
    if (from === "headers") return authenticator.authenticate(request, () => signal);
    const body: unknown = "body" in request ? request.body : undefined;
    const credentials = basicCredentials(field(body, fields.username), field(body, fields.password));
    return credentials && authenticator.verify(credentials, request, signal);
  }

  function failure(request: IncomingMessage): string | object {
    if (from === "form") return { message: "The user name or the password is wrong." };
    return formatChallenge(authenticator.challenge(request, { accesses: [] }));
  }

  async function act(request: IncomingMessage, signal: AbortSignal): Promise<Act> {
    const verdict = await judge(request, signal);
    switch (verdict?.outcome) {
      case "throttled":
        return (actions) => actions.error(new TooManyFailuresError(verdict));
      case "unavailable":
        return (actions) => actions.error(unavailable(verdict.causes[0]));
      case "conflicting":
        return (actions) => actions.fail({ message: "two different users" }, 400);
      case "authenticated": {
        const { principal, expiresAt } = verdict;
        // An app may show its user to anybody, and the revision is derived from the password.
        const { revision: _, ...identity } = principal.identity;
        const user: unknown = options.user === undefined ? identity : await options.user(identity);
        return (actions) => actions.success(user, { expiresAt });
      }
      default: {
        const status = verdict?.outcome === "rejected" && verdict.malformed === true ? 400 : 401;
        const challenge = failure(request);
        return (actions) => actions.fail(challenge, status);
      }
    }
  }

  return {
    name,
    authenticate(request) {
      const gone = new AbortController();
      const leave = (): void => gone.abort();
      request.socket.once("close", leave);
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(timeout)]);
      act(request, signal)
        .catch(
          (error: unknown): Act =>
            (actions) =>
              actions.error(unavailable(error)),
        )
        .then((answer) => {
          request.socket.off("close", leave);
          answer(this);
        })
        .catch((error: unknown) => this.error(error));
    },
  };
}

/** Of one backend alone. Nothing is remembered: whether a form is right is asked anew each time. */
function authenticatorOf(backend: AuthBackend, options: BackendStrategyOptions): Authenticator {
  const { realm, throttle, trustedProxies } = options;
  // What is no single login's is the backend's own to tell; here noResult waits for it.
  containmentOf(backend, () => {
    process.emitWarning(`${backend.id}: uncaught error in the backend, outside any single login`);
  });
  return createAuthenticator({
    backends: [backend],
    loginCache: false,
    ...(realm !== undefined && { realm }),
    ...(throttle !== undefined && { throttle }),
    ...(trustedProxies !== undefined && { trustedProxies }),
  });
}

const schema: z.ZodType<BackendStrategyOptions> = z.strictObject(
  {
    name: text("The name that passport knows the strategy by").exactOptional(),
    from: z.enum(["headers", "form"], "must be headers or form").exactOptional(),
    formFields: formFields.exactOptional(),
    realm: z
      .string("must be text")
      .regex(/^[\u0020-\u007e]*$/, "must hold noResult but printable ASCII")
      .exactOptional(),
    timeout: durationOption("How long it may take").exactOptional(),
    user: functionOption<NonNullable<BackendStrategyOptions["user"]>>().exactOptional(),
    throttle: throttleSchema.exactOptional(),
    trustedProxies: trustedProxiesOption().exactOptional(),
  },
  "must be an object",
);

function faultsOf(source: unknown, options: unknown): Fault[] {
  const faults = [...optionFaults(schema, options)];
  if (isAuthenticator(source)) {
    const own = ["realm", "throttle", "trustedProxies"].filter((key) => isObject(options) && key in options);
    return [...faults, ...own.map((key) => ({ path: [key], message: "cannot be combined with an authenticator" }))];
  }
  const message = backendFault(source);
  return message === undefined ? faults : [{ path: [], message }, ...faults];
}

function isAuthenticator(source: unknown): source is Authenticator {
  return isObject(source) && "verify" in source && "challenge" in source && "backends" in source;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function field(body: unknown, name: string): string {
  if (typeof body !== "object" || body === null || !Object.hasOwn(body, name)) return "";
  const value: unknown = Reflect.get(body, name);
  return typeof value === "string" ? value : "";
}

/** Express answers an error with its `status`; what went wrong is for the log alone. */
function unavailable(cause: unknown): Error {
  return Object.assign(new Error("the authentication service is unavailable", { cause }), { status: 503 });
}

import type { IncomingMessage } from "node:http";
import {
  type AuthBackend,
  type AuthRequest,
  type AuthResult,
  type Challenge,
  type Duration,
  type Fault,
  type Identity,
  InvalidOptionsError,
  parseDuration,
  timerDelay,
} from "@registry-gate/auth";
import { backendFault, containmentOf, optionFaults, trustedProxiesOption } from "@registry-gate/auth-kit";
import {
  type AttemptOutcome,
  authRequestOf,
  basicCredentials,
  clientAddressReader,
  formatChallenge,
  type LoginThrottle,
  loginThrottle,
  peerOf,
  type Throttled,
  type ThrottleOptions,
  throttleSchema,
} from "registry-gate";
import { z } from "zod";
import { aFunction, formFields, text, timeout } from "./option-schemas.ts";
import type { StrategyActions } from "./strategy.ts";
import type { FormFields } from "./strategy-request.ts";
import { TooManyFailuresError } from "./too-many-failures-error.ts";

/** What {@link backendStrategy} can be told. */
export interface BackendStrategyOptions {
  /** The name that passport knows the strategy by. Default: the backend's id. */
  readonly name?: string;
  /**
   * Where the credentials are: in the request's headers, or in the body of a form that something has parsed before, and
   * there alone. Default `headers`.
   */
  readonly from?: "headers" | "form";
  /** What the fields of the form are called. */
  readonly formFields?: FormFields;
  /** The realm of the Basic challenge. Default `Registry realm`. */
  readonly realm?: string;
  /** How long the backend may take. Default 30 seconds. */
  readonly timeout?: Duration;
  /**
   * How failed logins are limited, or the throttle that the registry's logins share, so that one count holds for both.
   * `false`: not at all. Default: limited, by a count of the strategy's own.
   */
  readonly throttle?: ThrottleOptions | LoginThrottle | false;
  /** The load balancers in front, as in the options of `registryProxy`. Default none. */
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
 * Makes a passport strategy of a backend, so that an app's own login asks whom the registry asks.
 *
 * What the backend rejects, does not know, or has nothing to say about is a failure with 401; two different users in one
 * request are one with 400. That the backend cannot answer is an error whose `status` is 503. It never passes: that would
 * let everybody through. Where too many logins have failed, the backend is not asked, and there is an error whose `status`
 * is 429, with `Retry-After` among its `headers`.
 *
 * @throws {InvalidOptionsError} with every fault.
 */
export function backendStrategy(backend: AuthBackend, options: BackendStrategyOptions = {}): BackendStrategy {
  const faults = faultsOf(backend, options);
  if (faults.length > 0) throw new InvalidOptionsError(faults);
  const { name = backend.id, from = "headers", realm = "Registry realm" } = options;
  const fields = { username: "username", password: "password", ...options.formFields };
  const timeout = timerDelay(parseDuration(options.timeout ?? "30s") ?? 0);
  const throttle = options.throttle === false ? undefined : loginThrottle(options.throttle);
  const clientOf = clientAddressReader(options.trustedProxies ?? []);
  const challenge: Challenge = backend.challenge?.([]) ?? { scheme: "Basic", parameters: { realm } };
  const failure = from === "form" ? { message: "The user name or the password is wrong." } : formatChallenge(challenge);

  // What is no single login's is the backend's own to tell; here nothing waits for it.
  const containment = containmentOf(backend, () => {
    process.emitWarning(`${backend.id}: the backend threw an error that nobody caught, and that is no single login's`);
  });
  const ask = (asked: AuthRequest): Promise<AuthResult> =>
    containment.run((signal) => backend.authenticate({ ...asked, signal }), asked.signal);

  function question(request: IncomingMessage, signal: AbortSignal): AuthRequest | undefined {
    const client = clientOf(request);
    if (from === "headers") return authRequestOf(request, backend, signal, client);
    const body: unknown = "body" in request ? request.body : undefined;
    const credentials = basicCredentials(field(body, fields.username), field(body, fields.password));
    return credentials && { credentials, peer: peerOf(request), client, header: () => [], signal };
  }

  async function act(request: IncomingMessage, signal: AbortSignal): Promise<Act> {
    const asked = question(request, signal);
    if (asked === undefined) return (actions) => actions.fail(failure, from === "form" ? 401 : 400);
    const result = await askThrottled(request, asked);
    if ("outcome" in result) throw new TooManyFailuresError(result);
    if (result.status === "conflicting") return (actions) => actions.fail({ message: "two different users" }, 400);
    if (result.status !== "authenticated") return (actions) => actions.fail(failure, 401);
    const { identity, expiresAt } = result;
    const user: unknown = options.user === undefined ? identity : await options.user(identity);
    return (actions) => actions.success(user, { expiresAt });
  }

  async function askThrottled(request: IncomingMessage, asked: AuthRequest): Promise<AuthResult | Throttled> {
    const { credentials, client, signal } = asked;
    const shown = from === "headers" && (backend.credentialHeaders ?? []).some((header) => header in request.headers);
    if (throttle === undefined || (credentials === undefined && !shown)) return ask(asked);
    const username = credentials?.scheme === "basic" ? credentials.username : undefined;
    const shared = username !== undefined && (backend.sharedUsernames ?? []).includes(username);
    const subject =
      username === undefined || shared
        ? { username: undefined, token: JSON.stringify([credentials, request.headers.authorization]) }
        : { username };
    return throttle.attempt({ client, ...subject, signal }, () => ask(asked), attemptOutcome);
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
              actions.error(error instanceof TooManyFailuresError ? error : unavailable(error)),
        )
        .then((answer) => {
          request.socket.off("close", leave);
          answer(this);
        })
        .catch((error: unknown) => this.error(error));
    },
  };
}

const schema: z.ZodType<BackendStrategyOptions> = z.strictObject(
  {
    name: text("The name that passport knows the strategy by").exactOptional(),
    from: z.enum(["headers", "form"], "must be headers or form").exactOptional(),
    formFields: formFields.exactOptional(),
    realm: z
      .string("must be text")
      .regex(/^[\u0020-\u007e]*$/, "must hold nothing but printable ASCII")
      .exactOptional(),
    timeout: timeout.exactOptional(),
    user: aFunction<NonNullable<BackendStrategyOptions["user"]>>().exactOptional(),
    throttle: throttleSchema.exactOptional(),
    trustedProxies: trustedProxiesOption().exactOptional(),
  },
  "must be an object",
);

function faultsOf(backend: unknown, options: unknown): Fault[] {
  const faults = [...optionFaults(schema, options)];
  const message = backendFault(backend);
  return message === undefined ? faults : [{ path: [], message }, ...faults];
}

function field(body: unknown, name: string): string {
  if (typeof body !== "object" || body === null || !Object.hasOwn(body, name)) return "";
  const value: unknown = Reflect.get(body, name);
  return typeof value === "string" ? value : "";
}

function attemptOutcome({ status }: AuthResult): AttemptOutcome {
  if (status === "authenticated") return "passed";
  return status === "conflicting" ? "unknown" : "failed";
}

/** Express answers an error with its `status`; what went wrong is for the log alone. */
function unavailable(cause: unknown): Error {
  return Object.assign(new Error("the authentication service is unavailable", { cause }), { status: 503 });
}

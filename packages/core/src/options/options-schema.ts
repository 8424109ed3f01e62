import { type AuthBackend, type Duration, type Logger, parseDuration } from "@registry-gate/auth";
import { backendFault, functionOption, isLogger, trustedProxiesOption } from "@registry-gate/auth-kit";
import { z } from "zod";
import type { Authenticator } from "../authenticate/authenticator.ts";
import type { MakeChallenge } from "../authenticate/challenges.ts";
import { throttleSchema } from "../authenticate/throttle/login-throttle.ts";
import { accessSchema } from "../authorize/access-schema.ts";
import { isPrepared } from "../authorize/prepared-access.ts";
import { defaultMaxSize } from "../forward/cache/content-cache.ts";
import type { ContentChanges } from "../forward/cache/content-changes.ts";
import { credentialsFault } from "../forward/registry-login.ts";
import type { ReadOnlySwitch } from "../limits/read-only-switch.ts";
import type { WriteObserver } from "../observe/record.ts";
import type { RequestTracer } from "../observe/tracing.ts";
import type { SealingKeys } from "../seal/sealer.ts";
import type { TokenEndpoint } from "../tokens/token-endpoint.ts";
import type { OptionShape } from "./option-shape.ts";
import type {
  AccessRule,
  AuthenticatorOptions,
  ContentCacheOptions,
  CorsOptions,
  GateOptions,
  LimitOptions,
  LoginCacheOptions,
  RegistryCredentials,
  RegistryProxyOptions,
  SharedSignInOptions,
  SignInOptions,
  UpstreamOptions,
} from "./options.ts";

const positive = (): z.ZodType<number> =>
  z.custom<number>((value) => Number.isSafeInteger(value) && Number(value) > 0, "must be a positive whole number");

const duration = (): z.ZodType<Duration> =>
  z.custom<Duration>(
    (value) => (typeof value === "number" || typeof value === "string") && (parseDuration(value) ?? 0) > 0,
    "must be a duration such as 30s, or a positive whole number of milliseconds",
  );

const url = z.string("must be a URL such as http://registry:5000").superRefine((text, context) => {
  for (const message of urlFaults(text)) context.addIssue({ code: "custom", message });
});

const registryCredentials: z.ZodType<RegistryCredentials> = z.union([
  z.strictObject({ username: z.string(), password: z.string() }),
  z.strictObject({ bearer: z.string() }),
]);

const credentials = z.custom<NonNullable<UpstreamOptions["credentials"]>>().superRefine((value: unknown, context) => {
  if (typeof value === "function") return;
  const given = registryCredentials.safeParse(value);
  const message = given.success ? credentialsFault(given.data) : "must hold username and password, or bearer";
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const durationOrZero = (): z.ZodType<Duration> =>
  z.custom<Duration>(
    (value) => (typeof value === "number" || typeof value === "string") && parseDuration(value) !== undefined,
    "must be a duration such as 30s, or a whole number of milliseconds",
  );

const contentCache: z.ZodType<ContentCacheOptions> = z
  .strictObject(
    {
      maxSize: positive().exactOptional(),
      maxEntry: positive().exactOptional(),
      ttl: durationOrZero().exactOptional(),
      maxAge: durationOrZero().exactOptional(),
    } satisfies OptionShape<ContentCacheOptions>,
    "must hold maxSize, maxEntry, ttl or maxAge, or nothing",
  )
  .superRefine(({ maxSize, maxEntry = 0 }, context) => {
    if (maxEntry > (maxSize ?? defaultMaxSize)) {
      context.addIssue({ code: "custom", path: ["maxEntry"], message: "must not be more than maxSize" });
    }
  });

const upstream = z.strictObject(
  {
    url,
    readTimeout: duration().exactOptional(),
    connectTimeout: duration().exactOptional(),
    maxConnections: positive().exactOptional(),
    ca: z.string("must be certificates as PEM").min(1, "must not be empty").exactOptional(),
    credentials: credentials.exactOptional(),
    cache: contentCache.exactOptional(),
    transport: z.enum(["auto", "direct", "library"], "must be auto, direct or library").exactOptional(),
  } satisfies OptionShape<UpstreamOptions>,
  "must hold url",
);

const loginCache = z.union(
  [
    z.literal(false),
    z.strictObject({
      ttl: duration().exactOptional(),
      maxEntries: positive().exactOptional(),
    } satisfies OptionShape<LoginCacheOptions>),
  ],
  "must be false, or hold ttl and maxEntries",
);

const limits = z.strictObject(
  {
    inFlight: positive().exactOptional(),
    inFlightPerClient: positive().exactOptional(),
    minRate: z
      .custom<number>((value) => Number.isSafeInteger(value) && Number(value) >= 0, "must be a whole number, or 0")
      .exactOptional(),
  } satisfies OptionShape<LimitOptions>,
  "must hold inFlight, inFlightPerClient or minRate",
);

const origin = z.string("must be text").superRefine((text, context) => {
  const message = originFault(text);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const cors = z.strictObject(
  {
    origins: z.array(origin, "must be a list").min(1, "must name at least one origin"),
    credentials: z.boolean("must be true or false").exactOptional(),
  } satisfies OptionShape<CorsOptions>,
  "must hold origins",
);

const backend = z.custom<AuthBackend>((value) => backendFault(value) === undefined, {
  error: ({ input }) => backendFault(input),
});

const backends = z
  .array(backend, {
    error: ({ input }) => (backendFault(input) === "is a promise: await it" ? backendFault(input) : "must be a list"),
  })
  .min(1, "must not be empty");

const log = z.custom<Logger>(isLogger, "must have the methods debug, info, warn and error");

const signInShape = {
  backends,
  realm: z
    .string("must be text")
    .regex(/^[\u0020-\u007e]*$/, "must hold nothing but printable ASCII")
    .exactOptional(),
  challenge: functionOption<MakeChallenge>().exactOptional(),
  session: functionOption<NonNullable<RegistryProxyOptions["session"]>>().exactOptional(),
  loginCache: loginCache.exactOptional(),
  throttle: throttleSchema.exactOptional(),
} satisfies OptionShape<SignInOptions>;

const gateShape = {
  upstream,
  access: z.union([z.custom<readonly AccessRule[]>(isPrepared), accessSchema], "must be a list").exactOptional(),
  trustedProxies: trustedProxiesOption().exactOptional(),
  tokens: z.custom<TokenEndpoint>(isTokenEndpoint, "must be made by createTokenEndpoint").exactOptional(),
  cors: cors.exactOptional(),
  limits: limits.exactOptional(),
  sealingKeys: functionOption<SealingKeys>().exactOptional(),
  onFinished: functionOption<NonNullable<RegistryProxyOptions["onFinished"]>>().exactOptional(),
  writes: z.custom<WriteObserver>(isWriteObserver, "must have the methods refusal and responded").exactOptional(),
  tracer: z.custom<RequestTracer>(isTracer, "must have the method begin").exactOptional(),
  attemptedNames: z.boolean("must be true or false").exactOptional(),
  standalone: z.boolean("must be true or false").exactOptional(),
  readOnly: z.custom<ReadOnlySwitch>(isReadOnlySwitch, "must be made by createReadOnlySwitch").exactOptional(),
  contentChanges: z
    .custom<ContentChanges>(isContentChanges, "must have the methods announce and follow")
    .exactOptional(),
  log: log.exactOptional(),
} satisfies OptionShape<GateOptions>;

const shape = { ...gateShape, ...signInShape } satisfies OptionShape<RegistryProxyOptions>;

/** The schema of the options of `createAuthenticator`. */
export const authenticatorSchema: z.ZodType<AuthenticatorOptions> = z.strictObject(
  {
    ...signInShape,
    trustedProxies: trustedProxiesOption().exactOptional(),
    log: log.exactOptional(),
  } satisfies OptionShape<AuthenticatorOptions>,
  "must be an object with backends",
);

const besideAuthenticator = z.never("must not be combined with authenticator, which has its own").optional();

/** The schema of the options of {@link registryProxy} with an authenticator. */
export const sharedSignInSchema: z.ZodType<SharedSignInOptions> = z.strictObject(
  {
    ...gateShape,
    authenticator: z.custom<Authenticator>(isAuthenticator, "must be made by createAuthenticator"),
    backends: besideAuthenticator,
    realm: besideAuthenticator,
    challenge: besideAuthenticator,
    session: besideAuthenticator,
    loginCache: besideAuthenticator,
    throttle: besideAuthenticator,
  },
  "must be an object with upstream and authenticator",
);

/** The schema of the options of {@link registryProxy}. */
export const optionsSchema: z.ZodType<RegistryProxyOptions> = z.strictObject(
  shape,
  "must be an object with upstream and backends",
);

/** The schema of the options before backends are opened. */
export const optionsBeforeBackendsSchema: z.ZodType<Omit<RegistryProxyOptions, "backends">> = z.strictObject(
  { ...shape, backends: backends.exactOptional() },
  "must be an object with upstream",
);

function isTokenEndpoint(value: unknown): value is TokenEndpoint {
  if (typeof value !== "object" || value === null) return false;
  const path: unknown = Reflect.get(value, "path");
  return typeof path === "string" && path.startsWith("/v2/") && typeof Reflect.get(value, "respond") === "function";
}

function isReadOnlySwitch(value: unknown): value is ReadOnlySwitch {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "admit") === "function";
}

function isContentChanges(value: unknown): value is ContentChanges {
  return (
    typeof value === "object" &&
    value !== null &&
    ["announce", "follow"].every((name) => typeof Reflect.get(value, name) === "function")
  );
}

function isWriteObserver(value: unknown): value is WriteObserver {
  return (
    typeof value === "object" &&
    value !== null &&
    ["refusal", "responded"].every((name) => typeof Reflect.get(value, name) === "function")
  );
}

function isTracer(value: unknown): value is RequestTracer {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "begin") === "function";
}

function isAuthenticator(value: unknown): value is Authenticator {
  return (
    typeof value === "object" &&
    value !== null &&
    ["authenticate", "verify", "challenge", "close"].every((name) => typeof Reflect.get(value, name) === "function")
  );
}

/** Browsers send an origin in one spelling only (Fetch Standard; RFC 6454, section 6.2), and it is compared exactly. */
function originFault(text: string): string | undefined {
  const example = "must be an origin such as https://ui.example.com";
  if (text.includes("*")) return `${example}: with a login every origin has to be named`;
  const { protocol, origin } = URL.parse(text) ?? {};
  if (origin === undefined || (protocol !== "http:" && protocol !== "https:")) return example;
  return origin === text ? undefined : `${example}; did you mean ${origin}?`;
}

function urlFaults(text: string): string[] {
  if (!URL.canParse(text)) return ["must be a URL such as http://registry:5000"];
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") return ["must begin with http:// or https://"];
  const faults: string[] = [];
  if (username !== "" || password !== "") faults.push("must not hold credentials");
  if (pathname !== "/" || search !== "" || hash !== "") {
    faults.push("must end after the host and port: a registry is always at /v2/");
  }
  return faults;
}

import { type Duration, type Fault, InvalidOptionsError, parseDuration } from "@registry-gate/auth";
import { chooseProxy, isLoopbackUrl, type ProxyFor, proxyFault, readName } from "@registry-gate/auth-kit";
import type { Freshness } from "./cached-document.ts";
import type { ClaimMapping, ClaimPath } from "./claims.ts";
import { discoveryFault } from "./discovery.ts";
import { keyUrlFault } from "./key-url.ts";
import { isUrl, type JwtAlgorithm, parseJwtOptions, type SsoJwtOptions } from "./options.ts";
import { compilePattern } from "./pattern.ts";
import { identifyingClaims, isLoadBalancer, jwtPresets } from "./presets.ts";

/** All options, with the preset and the defaults. */
export interface ResolvedJwtOptions {
  /** In lower case. */
  readonly header: string | undefined;
  readonly bearer: boolean;
  readonly basic: boolean;
  readonly basicUsernames: readonly string[];
  readonly keys: KeyLocation;
  readonly caCert: string | undefined;
  readonly proxyFor: ProxyFor;
  readonly freshness: Freshness;
  /** In milliseconds. */
  readonly timeout: number;
  readonly rules: TokenRules;
  readonly mapping: ClaimMapping;
}

export type KeyLocation =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "set"; readonly url: URL }
  /** Where the issuer's own configuration says. */
  | { readonly kind: "discovered"; readonly issuer: string }
  | { readonly kind: "single"; readonly template: string };

/** What a token must be. */
export interface TokenRules {
  readonly algorithms: readonly JwtAlgorithm[];
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly typ: string | undefined;
  /** The load balancer that must have signed it; then the audience stands in the header, and segments are padded. */
  readonly signer: string | undefined;
  /** In seconds. */
  readonly leeway: number;
  readonly maxTokenBytes: number;
}

/** @throws {InvalidOptionsError} with every fault of form, or else with every option that does not go with another. */
export function resolveJwtOptions(options: unknown): ResolvedJwtOptions {
  const given = parseJwtOptions(options);
  const merged: SsoJwtOptions = { ...(given.preset === undefined ? undefined : presetOf(given)), ...given };
  const faults: Fault[] = [];
  const fault = (name: string, message: string): void => void faults.push({ path: [name], message });
  const time = (name: string, value: Duration, least: number, most: number, range: string): number => {
    const milliseconds = parseDuration(value);
    if (milliseconds !== undefined && milliseconds >= least && milliseconds <= most) return milliseconds;
    fault(name, `must be a duration ${range}`);
    return least;
  };

  const { header, issuer = "", audience = [], signer, preset, requiredClaims = {}, extraGroups = [] } = merged;
  if (issuer === "") fault("issuer", "is required");
  if (audience.length === 0) fault("audience", "is required");
  if (preset === "aws-alb" && (signer === undefined || !isLoadBalancer(signer))) {
    fault("signer", "must be the ARN of the load balancer, arn:aws:elasticloadbalancing:…:loadbalancer/app/…");
  }
  if (preset !== "aws-alb" && signer !== undefined) fault("signer", "has no effect without the preset aws-alb");
  const telling = preset === undefined ? undefined : identifyingClaims[preset];
  if (telling !== undefined && !telling.some((claim) => Object.hasOwn(requiredClaims, claim))) {
    fault("requiredClaims", `must have one of ${telling.join(", ")}: everybody can get tokens of this issuer`);
  }
  const { bearer = true, basic = true } = merged;
  if (header === undefined && !bearer && !basic) fault("header", "is required if both bearer and basic are off");
  if (merged.groupsSeparator !== undefined && merged.groupsClaim === undefined && given.groupsSeparator !== undefined) {
    fault("groupsSeparator", "has no effect without groupsClaim");
  }
  for (const [index, group] of extraGroups.entries()) {
    const reading = readName(group);
    if (reading.fault !== undefined) faults.push({ path: ["extraGroups", index], message: reading.fault });
  }
  const keys = keyLocation(merged, fault);
  const wrongProxy = proxyFaultOf(merged.proxy, keys);
  if (wrongProxy !== undefined) fault("proxy", wrongProxy);
  const freshness = {
    maxAge: time("jwksMaxAge", merged.jwksMaxAge ?? "10m", 0, DAY, "of at most 24h"),
    cooldown: time("jwksCooldown", merged.jwksCooldown ?? "30s", 0, DAY, "of at most 24h"),
    keepFor: time("jwksKeepFor", merged.jwksKeepFor ?? "4h", 0, 7 * DAY, "of at most 168h"),
  };
  if (freshness.keepFor < freshness.maxAge) fault("jwksKeepFor", "must not be shorter than jwksMaxAge");
  const timeout = time("jwksTimeout", merged.jwksTimeout ?? "5s", 1, 60_000, "from 1ms to 60s");
  const leeway = time("leeway", merged.leeway ?? "30s", 0, 60_000, "of at most 60s") / 1000;
  if (faults.length > 0 || keys === undefined) throw new InvalidOptionsError(faults);

  return {
    header: header?.toLowerCase(),
    bearer,
    basic,
    basicUsernames: merged.basicUsernames ?? ["oauth2"],
    keys,
    caCert: merged.caCert,
    proxyFor: chooseProxy(merged.proxy),
    freshness,
    timeout,
    rules: {
      algorithms: merged.algorithms ?? ["RS256", "ES256", "EdDSA"],
      issuer,
      audience: typeof audience === "string" ? [audience] : audience,
      typ: merged.typ,
      signer,
      leeway,
      maxTokenBytes: merged.maxTokenBytes ?? 16_384,
    },
    mapping: {
      usernameClaim: claimPath(merged.usernameClaim ?? "sub"),
      usernamePrefix: merged.usernamePrefix ?? "",
      usernameCase: merged.usernameCase ?? "keep",
      groupsClaim: merged.groupsClaim === undefined ? undefined : claimPath(merged.groupsClaim),
      groupsSeparator: merged.groupsSeparator ?? "none",
      extraGroups,
      requiredClaims: Object.entries(requiredClaims).map(([path, patterns]) => ({
        path: claimPath(path),
        accepts: anyOf(typeof patterns === "string" ? [patterns] : patterns),
      })),
    },
  };
}

const DAY = 24 * 3_600_000;

/** What the preset says; keys that the options name themselves replace the preset's. */
function presetOf(given: SsoJwtOptions): Partial<SsoJwtOptions> {
  if (given.preset === undefined) return {};
  const { jwks, keyUrl, ...others } = jwtPresets[given.preset](given);
  if (given.jwks !== undefined || given.keyUrl !== undefined) return others;
  return { ...others, ...(jwks === undefined ? {} : { jwks }), ...(keyUrl === undefined ? {} : { keyUrl }) };
}

function keyLocation(
  { jwks, keyUrl, caCert, proxy, issuer = "", preset }: SsoJwtOptions,
  fault: (name: string, message: string) => void,
): KeyLocation | undefined {
  if (jwks !== undefined && keyUrl !== undefined) fault("keyUrl", "cannot be combined with jwks");
  else if (jwks !== undefined) {
    if (!isUrl(jwks)) {
      if (caCert !== undefined) fault("caCert", "has no effect if jwks is a file");
      if (proxy !== undefined) fault("proxy", "has no effect if jwks is a file");
      return { kind: "file", path: jwks };
    }
    const message = keyUrlFault(jwks);
    if (message === undefined) return { kind: "set", url: new URL(jwks) };
    fault("jwks", message);
  } else if (keyUrl !== undefined) {
    const named = keyUrl.split("{kid}").length === 2 && keyUrl.indexOf("{kid}") > keyUrl.indexOf("/", 8);
    const message = named ? keyUrlFault(keyUrl.replace("{kid}", "kid")) : "must hold {kid} once, in its path";
    if (message === undefined) return { kind: "single", template: keyUrl };
    fault("keyUrl", message);
  } else if (preset === "aws-alb") fault("jwks", "is required: a URL or a file");
  else if (issuer !== "") {
    // A load balancer's tokens name its identity provider as their issuer, whose keys are not those that they are signed with.
    const message = discoveryFault(issuer);
    if (message === undefined) return { kind: "discovered", issuer };
    fault("jwks", `is required: a URL or a file. It cannot be discovered: the issuer ${message}`);
  }
  return undefined;
}

function proxyFaultOf(proxy: string | false | undefined, keys: KeyLocation | undefined): string | undefined {
  if (typeof proxy !== "string") return undefined;
  const message = proxyFault(proxy);
  if (message !== undefined || keys === undefined || keys.kind === "file") return message;
  const from = keys.kind === "set" ? keys.url : new URL(keys.kind === "single" ? keys.template : keys.issuer);
  if (from.protocol === "https:" || isLoopbackUrl(new URL(proxy))) return undefined;
  return "must be on this machine, or the keys come over https://: on their way over http:// they could be changed";
}

function claimPath(path: string | readonly string[]): ClaimPath {
  return typeof path === "string" ? path.split(".") : path;
}

function anyOf(patterns: readonly string[]): (text: string) => boolean {
  const compiled = patterns.map(compilePattern);
  return (text) => compiled.some((matches) => matches(text));
}

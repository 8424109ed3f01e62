import type { SsoJwtOptions } from "./options.ts";
import type { JwtPreset } from "./preset-names.ts";

type Defaults = Partial<
  Pick<
    SsoJwtOptions,
    "header" | "algorithms" | "issuer" | "jwks" | "keyUrl" | "usernameClaim" | "groupsClaim" | "groupsSeparator"
  >
>;

/** What a preset says, given the options that differ from one customer of the product to the next. */
export const jwtPresets: Readonly<Record<JwtPreset, (given: Partial<SsoJwtOptions>) => Defaults>> = {
  "cloudflare-access": ({ issuer }) => ({
    header: "Cf-Access-Jwt-Assertion",
    algorithms: ["RS256"],
    usernameClaim: "email",
    ...(issuer === undefined ? {} : { jwks: below(issuer, "/cdn-cgi/access/certs") }),
  }),
  "google-iap": () => ({
    header: "X-Goog-Iap-Jwt-Assertion",
    algorithms: ["ES256"],
    issuer: "https://cloud.google.com/iap",
    jwks: "https://www.gstatic.com/iap/verify/public_key-jwk",
    usernameClaim: "email",
  }),
  "aws-alb": ({ signer }) => {
    const keyUrl = keyUrlOf(signer);
    return {
      header: "X-Amzn-Oidc-Data",
      algorithms: ["ES256"],
      ...(keyUrl === undefined ? {} : { keyUrl }),
      usernameClaim: "email",
      // Lists among the claims of a user pool arrive as texts.
      groupsSeparator: "json",
    };
  },
  pomerium: ({ issuer }) => ({
    header: "X-Pomerium-Jwt-Assertion",
    algorithms: ["ES256"],
    usernameClaim: "email",
    groupsClaim: "groups",
    ...(issuer === undefined
      ? {}
      : { jwks: below(issuer.includes("://") ? issuer : `https://${issuer}`, "/.well-known/pomerium/jwks.json") }),
  }),
  "github-actions": ({ issuer = "https://token.actions.githubusercontent.com" }) => ({
    algorithms: ["RS256"],
    issuer,
    jwks: below(issuer, "/.well-known/jwks"),
    usernameClaim: "repository",
  }),
  gitlab: ({ issuer = "https://gitlab.com" }) => ({
    algorithms: ["RS256"],
    issuer,
    jwks: below(issuer, "/oauth/discovery/keys"),
    usernameClaim: "project_path",
  }),
};

/** Anybody can get tokens of these issuers for any audience; one of these claims must restrict who is meant. */
export const identifyingClaims: Readonly<Partial<Record<JwtPreset, readonly string[]>>> = {
  "github-actions": [
    ...["repository", "repository_id", "repository_owner", "repository_owner_id"],
    ...["enterprise", "enterprise_id", "sub"],
  ],
  gitlab: ["project_path", "project_id", "namespace_path", "namespace_id", "sub"],
};

const SIGNER =
  /^arn:(aws[a-z-]*):elasticloadbalancing:([a-z]{2}(?:-[a-z]+)+-\d):\d{12}:loadbalancer\/app\/[A-Za-z0-9-]+\/[0-9a-f]+$/;

/** Whether a text is the ARN of an application load balancer. */
export function isLoadBalancer(signer: string): boolean {
  return SIGNER.test(signer);
}

/** Where the keys of a load balancer stand; in the other partitions the address follows no common form. */
function keyUrlOf(signer: string | undefined): string | undefined {
  const [, partition, region] = SIGNER.exec(signer ?? "") ?? [];
  return partition === "aws" ? `https://public-keys.auth.elb.${region}.amazonaws.com/{kid}` : undefined;
}

function below(base: string, path: string): string {
  return base.replace(/\/+$/, "") + path;
}

import type { Fault } from "@registry-gate/auth";
import { z } from "zod";
import { type Section, withAbsolute } from "../section.ts";
import { duration, list, text, trueOrFalse } from "../value-schemas.ts";
import type { ListenConfiguration } from "./listen.ts";

/** The pages that `registry-gate portal` serves beside the registry. */
export interface PortalConfiguration {
  /** Below which the pages are; `/` by default. */
  readonly path?: string;
  readonly title?: string;
  readonly signIn?: SignInKind;
  readonly header?: HeaderConfiguration;
  readonly oidc?: OidcConfiguration;
  /** Secrets that sign the cookies of sessions, a line each. */
  readonly secretsFile?: string;
  readonly sessions?: SessionsConfiguration;
  readonly cookie?: CookieConfiguration;
  readonly adminGroups?: readonly string[];
  /** PEM, for the page that says how clients are set up. */
  readonly authorityFile?: string;
}

/** How users sign in at the pages. */
export type SignInKind = "form" | "header" | "oidc";

/** For `signIn: header`: a proxy in front has signed them in. */
export interface HeaderConfiguration {
  /** Where a user signs out of the proxy. */
  readonly signOutUrl?: string;
}

/** For `signIn: oidc`. */
export interface OidcConfiguration {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecretFile?: string;
  readonly scopes?: readonly string[];
  readonly usernameClaim?: string;
  readonly groupsClaim?: string;
}

/** In milliseconds. */
export interface SessionsConfiguration {
  readonly idle?: number;
  readonly lifetime?: number;
  readonly recheck?: number;
}

export interface CookieConfiguration {
  /** Whether browsers come over TLS. */
  readonly secure?: boolean;
}

const pathExample = "must be / or a path of plain segments, such as /portal";
/** In one spelling only, and not where the registry is. */
const path = text()
  .regex(/^\/(?:[A-Za-z0-9._~-]+\/)*[A-Za-z0-9._~-]*$/, pathExample)
  .regex(/^(?!.*\/\.{1,2}(?:\/|$))/, pathExample)
  .regex(/^(?!.+\/$)/, "must not end with a slash")
  .regex(/^(?!\/[vV]2(?:\/|$))/, "must not be below /v2/, where the registry is");

const isWebUrl = (value: string): boolean => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
const webUrl = (): z.ZodType<string> => text().refine(isWebUrl, "must be a URL such as https://login.example.com");

const sessions: z.ZodType<SessionsConfiguration> = z.strictObject(
  {
    idle: duration().describe("How long a session lasts without a request; 1h by default").exactOptional(),
    lifetime: duration().describe("How long a session lasts at most; 12h by default").exactOptional(),
    recheck: duration()
      .describe(
        "How often a user is looked up again, unless the backend says before that one has changed; 1m by default",
      )
      .exactOptional(),
  },
  "must hold idle, lifetime and recheck",
);

const oidc: z.ZodType<OidcConfiguration> = z.strictObject(
  {
    issuer: webUrl().describe("The provider, whose .well-known/openid-configuration says the rest"),
    clientId: text(),
    clientSecretFile: text()
      .describe("The file that holds the client's secret; none for a client without one, which PKCE protects alone")
      .exactOptional(),
    scopes: list(text()).describe("What is asked for; [openid, profile, email] by default").exactOptional(),
    usernameClaim: text().describe("The claim with the user name; preferred_username by default").exactOptional(),
    groupsClaim: text().describe("The claim with the groups; none by default").exactOptional(),
  },
  "must hold issuer and clientId",
);

const schema: z.ZodType<PortalConfiguration> = z.strictObject(
  {
    path: path.describe("Where the pages are; / by default").exactOptional(),
    title: text().describe("Stands in the head of each page; Registry by default").exactOptional(),
    signIn: z
      .enum(["form", "header", "oidc"], "must be form, header or oidc")
      .describe("form: name and password, which the backends judge; header: a backend sso-header; oidc: a provider")
      .exactOptional(),
    header: z
      .strictObject({ signOutUrl: webUrl().describe("Where users sign out of the proxy").exactOptional() })
      .exactOptional(),
    oidc: oidc.describe("The provider of OpenID Connect, for signIn: oidc").exactOptional(),
    secretsFile: text()
      .describe("Secrets for cookies, a line each of at least 32 characters: the first signs. By default from keys")
      .exactOptional(),
    sessions: sessions.exactOptional(),
    cookie: z
      .strictObject({
        secure: trueOrFalse().describe("Whether browsers come over TLS; true by default").exactOptional(),
      })
      .exactOptional(),
    authorityFile: text()
      .describe("The PEM file of the authority that clients have to trust; by default one in listen.tls.certificate")
      .exactOptional(),
    adminGroups: list(text()).describe("Groups whose members see what concerns everybody").exactOptional(),
  },
  "must hold path, title and signIn",
);

export const portalSection: Section<PortalConfiguration> = {
  // The bare key, which YAML takes for null, is enough to have one.
  schema: z.preprocess((value) => value ?? {}, schema),
  withAbsolutePaths: ({ oidc: provider, ...rest }, absolute) => ({
    ...withAbsolute(rest, ["secretsFile", "authorityFile"], absolute),
    ...(provider && { oidc: withAbsolute(provider, ["clientSecretFile"], absolute) }),
  }),
};

/** Finds what does not fit together, within the section and with the listener. */
export function portalFaults(portal: PortalConfiguration | undefined, { healthPath }: ListenConfiguration): Fault[] {
  if (portal === undefined) return [];
  const { path: place = "/", signIn = "form" } = portal;
  const faults: Fault[] = [];
  if (place === healthPath) {
    faults.push({ path: ["portal", "path"], message: "is taken by listen.healthPath" });
  }
  if (signIn === "oidc" && portal.oidc === undefined) {
    faults.push({ path: ["portal", "oidc"], message: "is missing: signIn: oidc needs issuer and clientId" });
  }
  return faults;
}

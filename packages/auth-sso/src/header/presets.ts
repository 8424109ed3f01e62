/** The headers in which a product names the user. */
export interface HeaderNames {
  readonly userHeader: string;
  readonly groupsHeader?: string;
  readonly groupsSeparator?: string;
  readonly emailHeader?: string;
  readonly nameHeader?: string;
  readonly stripUserPrefix?: string;
  readonly encodedWords?: boolean;
}

export const headerPresetNames = [
  "oauth2-proxy",
  "authelia",
  "authentik",
  "traefik-forward-auth",
  "mod_auth_openidc",
  "mod_auth_mellon",
  "cloudflare-access",
  "aws-alb",
  "google-iap",
  "pomerium",
  "tailscale",
] as const;

/** A product whose headers are known by name. */
export type HeaderPreset = (typeof headerPresetNames)[number];

export const headerPresets: Readonly<Record<HeaderPreset, HeaderNames>> = {
  "oauth2-proxy": {
    userHeader: "X-Forwarded-User",
    groupsHeader: "X-Forwarded-Groups",
    groupsSeparator: ",",
    emailHeader: "X-Forwarded-Email",
    nameHeader: "X-Forwarded-Preferred-Username",
  },
  authelia: {
    userHeader: "Remote-User",
    groupsHeader: "Remote-Groups",
    groupsSeparator: ",",
    emailHeader: "Remote-Email",
    nameHeader: "Remote-Name",
  },
  authentik: {
    userHeader: "X-authentik-username",
    groupsHeader: "X-authentik-groups",
    groupsSeparator: "|",
    emailHeader: "X-authentik-email",
    nameHeader: "X-authentik-name",
  },
  // What the authentication server behind ForwardAuth sets and `authResponseHeaders` copies.
  "traefik-forward-auth": {
    userHeader: "X-Forwarded-User",
    groupsHeader: "X-Forwarded-Groups",
    groupsSeparator: ",",
    emailHeader: "X-Forwarded-Email",
  },
  mod_auth_openidc: {
    userHeader: "OIDC_CLAIM_preferred_username",
    groupsHeader: "OIDC_CLAIM_groups",
    groupsSeparator: ",",
    emailHeader: "OIDC_CLAIM_email",
    nameHeader: "OIDC_CLAIM_name",
  },
  // The module sets variables of Apache; the README shows the lines that make these headers of them.
  mod_auth_mellon: {
    userHeader: "X-Remote-User",
    groupsHeader: "X-Remote-Groups",
    groupsSeparator: ";",
    emailHeader: "X-Remote-Email",
    nameHeader: "X-Remote-Name",
  },
  "cloudflare-access": { userHeader: "Cf-Access-Authenticated-User-Email" },
  "aws-alb": { userHeader: "X-Amzn-Oidc-Identity" },
  "google-iap": { userHeader: "X-Goog-Authenticated-User-Email", stripUserPrefix: "accounts.google.com:" },
  pomerium: {
    userHeader: "X-Pomerium-Claim-Email",
    groupsHeader: "X-Pomerium-Claim-Groups",
    groupsSeparator: ",",
    nameHeader: "X-Pomerium-Claim-Name",
  },
  tailscale: { userHeader: "Tailscale-User-Login", nameHeader: "Tailscale-User-Name", encodedWords: true },
};

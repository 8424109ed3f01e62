export const jwtPresetNames = [
  "cloudflare-access",
  "google-iap",
  "aws-alb",
  "pomerium",
  "github-actions",
  "gitlab",
] as const;

/** A product whose tokens are known. */
export type JwtPreset = (typeof jwtPresetNames)[number];

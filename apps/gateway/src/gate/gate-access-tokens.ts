import type { IssuanceOptions } from "@registry-gate/access-tokens";
import type { BackendConfiguration } from "../config/sections/auth.ts";

/**
 * What the gates of a configuration allow of new access tokens. The plugin judges the options.
 *
 * @returns `undefined` where no backend accepts any.
 */
export function issuanceOf(backends: readonly BackendConfiguration[]): IssuanceOptions | undefined {
  const options = backends.find(({ type }) => type === "access-token");
  if (options === undefined) return undefined;
  const { maxTtl, requireExpiry } = options;
  return {
    ...(typeof maxTtl === "string" && { maxTtl }),
    ...(typeof requireExpiry === "boolean" && { requireExpiry }),
  };
}

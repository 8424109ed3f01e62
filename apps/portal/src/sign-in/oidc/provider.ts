import { isLoopbackUrl } from "@registry-gate/auth-kit";
import {
  allowInsecureRequests,
  ClientSecretBasic,
  type Configuration,
  discovery,
  enableNonRepudiationChecks,
  None,
} from "openid-client";

/** A provider of OpenID Connect, and the portal as its client. */
export interface ProviderOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: a client without a secret. A function is called for each use. */
  readonly clientSecret?: string | (() => string | undefined);
}

/** What the provider says of itself, read when it is first needed, and anew after a while. */
export interface Provider {
  /** @throws {Error} where it cannot be reached, or what it says cannot be used. */
  current(): Promise<Configuration>;
  /** The origins that it has, as far as is known. */
  readonly origins: readonly string[];
}

/** In milliseconds. */
const freshFor = 3_600_000;
/** In seconds. */
const timeout = 10;

export function provider({ issuer, clientId, clientSecret }: ProviderOptions): Provider {
  let known:
    | { readonly secret: string | undefined; readonly since: number; readonly work: Promise<Configuration> }
    | undefined;

  let origins: readonly string[] = [new URL(issuer).origin];

  function noteOrigins(configuration: Configuration): void {
    const { end_session_endpoint: end } = configuration.serverMetadata();
    origins = [...new Set([new URL(issuer).origin, ...(end === undefined ? [] : [new URL(end).origin])])];
  }

  return {
    get origins() {
      return origins;
    },
    current() {
      const secret = typeof clientSecret === "function" ? clientSecret() : clientSecret;
      if (known !== undefined && known.secret === secret && performance.now() - known.since < freshFor)
        return known.work;
      const url = new URL(issuer);
      const plain = url.protocol === "http:" && isLoopbackUrl(url);
      const entry = {
        secret,
        since: performance.now(),
        work: discovery(url, clientId, {}, secret === undefined ? None() : ClientSecretBasic(secret), {
          timeout,
          // The signature of the ID token is verified although it comes straight from the provider.
          execute: [enableNonRepudiationChecks, ...(plain ? [allowInsecureRequests] : [])],
        }),
      };
      known = entry;
      entry.work.then(noteOrigins, () => {
        if (known === entry) known = undefined;
      });
      return entry.work;
    },
  };
}

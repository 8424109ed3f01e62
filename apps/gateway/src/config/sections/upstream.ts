import { timerDelay } from "@registry-gate/auth";
import type { UpstreamOptions } from "@registry-gate/core";
import { z } from "zod";
import { byteSize } from "../byte-size.ts";
import { type Section, withAbsolute } from "../section.ts";
import { duration, durationOrZero, text, wholeNumber } from "../value-schemas.ts";

export interface UpstreamConfiguration {
  readonly url: string;
  readonly readTimeout?: number;
  readonly connectTimeout?: number;
  readonly maxConnections?: number;
  /** A PEM file. */
  readonly ca?: string;
  /** The gate's own login at the registry. */
  readonly credentials?: CredentialsConfiguration;
  /** Keeps manifests and small blobs; sizes in bytes, times in milliseconds. */
  readonly cache?: CacheConfiguration;
  readonly transport?: NonNullable<UpstreamOptions["transport"]>;
}

export interface CacheConfiguration {
  readonly maxSize?: number;
  readonly maxEntry?: number;
  readonly ttl?: number;
  readonly maxAge?: number;
}

/** For Basic, or for Bearer; the secret is the only line of a file. */
export type CredentialsConfiguration =
  | { readonly username: string; readonly passwordFile: string }
  | { readonly bearerFile: string };

const credentials: z.ZodType<CredentialsConfiguration> = z.union(
  [
    z.strictObject({
      username: text().regex(/^[^:\u0000-\u001f\u007f-\u009f]*$/, "must hold no colon and no control character"),
      passwordFile: text().describe("The file that holds the password, followed when it changes"),
    }),
    z.strictObject({
      bearerFile: text().describe("The file that holds the token, followed when it changes"),
    }),
  ],
  "must hold username and passwordFile, or bearerFile, and nothing else",
);

const sizeMessage = "must be a size such as 64MiB or 512KiB, at least 1B";

const cache: z.ZodType<CacheConfiguration> = z.strictObject(
  {
    maxSize: byteSize(1, sizeMessage)
      .describe("How much memory the cache takes, of all workers together; 64MiB by default")
      .exactOptional(),
    maxEntry: byteSize(1, sizeMessage)
      .describe("The largest manifest or blob that is kept; 1MiB by default")
      .exactOptional(),
    ttl: durationOrZero()
      .describe("How long a tag is served without asking the registry whether it has changed; 0s by default")
      .exactOptional(),
    maxAge: durationOrZero()
      .describe("How long content is served by its digest without asking the registry; 1h by default")
      .exactOptional(),
  },
  "must hold maxSize, maxEntry, ttl or maxAge, or be {}",
);

const schema: z.ZodType<UpstreamConfiguration> = z.strictObject(
  {
    url: text().describe("The registry, such as http://registry:5000"),
    readTimeout: duration().describe("How long the registry may be silent; 900s by default").exactOptional(),
    connectTimeout: duration().describe("How long connecting may take; 10s by default").exactOptional(),
    maxConnections: wholeNumber()
      .describe("How many connections to the registry are open at once; 1024 by default")
      .exactOptional(),
    ca: text().describe("A PEM file with the certificates to trust, in place of the system's").exactOptional(),
    credentials: credentials.describe("The gate's own login at the registry; none by default").exactOptional(),
    cache: cache.describe("Keeps manifests and small blobs in memory; off by default").exactOptional(),
    transport: z
      .enum(["auto", "direct", "library"], "must be auto, direct or library")
      .describe("How requests are sent: by the gate itself, by http-proxy-middleware, or as it fits; auto by default")
      .exactOptional(),
  },
  "must hold url",
);

export const upstreamSection: Section<UpstreamConfiguration> = {
  schema,
  substitutes: [
    { path: ["url"], value: "http://127.0.0.1" },
    { path: [], value: { url: "http://127.0.0.1" } },
  ],
  withAbsolutePaths: ({ credentials, ...rest }, absolute) => ({
    ...withAbsolute(rest, ["ca"], absolute),
    ...(credentials && {
      credentials:
        "bearerFile" in credentials
          ? withAbsolute(credentials, ["bearerFile"], absolute)
          : withAbsolute(credentials, ["passwordFile"], absolute),
    }),
  }),
};

/** The option of the middleware, with what the files hold that are named here. */
export function upstreamOptions(
  { ca: _ca, credentials: _credentials, ...target }: UpstreamConfiguration,
  contents: Pick<UpstreamOptions, "ca" | "credentials">,
): UpstreamOptions {
  return { ...target, ...contents };
}

/** Time for the registry's silence to be answered with 504 before the client's connection counts as silent. */
const inactivityMargin = 10_000;

/** What this section limits at the listener: connections that stay silent for longer are cut, in milliseconds. */
export function upstreamLimits({ readTimeout = 900_000 }: UpstreamConfiguration): { readonly inactivity: number } {
  return { inactivity: timerDelay(readTimeout + inactivityMargin) };
}

import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import type { CounterStore, RegistryProxyOptions } from "@registry-gate/core";
import { FileReadError, readSettled } from "@registry-gate/watched-file";
import { type Configuration, toConfigurationPath } from "../config/configuration.ts";
import { authOptions } from "../config/sections/auth.ts";
import { limitOptions } from "../config/sections/limits.ts";
import { listenOptions } from "../config/sections/listen.ts";
import { logOptions } from "../config/sections/log.ts";
import { upstreamOptions } from "../config/sections/upstream.ts";
import type { GateTokens } from "./gate-tokens.ts";
import type { LiveCredentials } from "./registry-credentials.ts";

/**
 * Derives the options of the middleware from a configuration, section by section.
 *
 * @param counters Where failed logins are counted. Default: anew.
 * @param tokens Absent where the gate asks for Basic.
 * @throws {InvalidOptionsError} where a file that it names cannot be used.
 */
export async function proxyOptions(
  { listen, upstream, auth, access, limits, log }: Configuration,
  counters: CounterStore | undefined,
  live: LiveCredentials | undefined,
  tokens: GateTokens | undefined,
): Promise<Omit<RegistryProxyOptions, "backends">> {
  const { ca } = upstream;
  return {
    upstream: upstreamOptions(upstream, {
      ...(ca !== undefined && { ca: await readCertificates(ca) }),
      ...(live !== undefined && { credentials: live.current }),
    }),
    ...authOptions(auth, counters, tokens?.challenge),
    ...(tokens && { tokens: tokens.endpoint }),
    ...(access !== undefined && { access }),
    limits: limitOptions(limits),
    ...logOptions(log),
    ...listenOptions(listen),
  };
}

/** A fault of the middleware's options, with its place in the configuration. */
export function inConfiguration({ path, message }: Fault): Fault {
  return { path: toConfigurationPath(path), message };
}

async function readCertificates(file: string): Promise<string> {
  try {
    const text = (await readSettled(file)).content.toString("utf8");
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
    throw new InvalidOptionsError([{ path: ["upstream", "ca"], message: `holds no certificate: ${file}` }]);
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    throw new InvalidOptionsError([{ path: ["upstream", "ca"], message: error.message }]);
  }
}

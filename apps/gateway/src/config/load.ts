import { dirname, isAbsolute, resolve } from "node:path";
import { InvalidOptionsError } from "@registry-gate/auth";
import { FileReadError, readSettled, type SettledFile } from "@registry-gate/watched-file";
import type { Configuration } from "./configuration.ts";
import { parseConfiguration } from "./parse.ts";

/** A configuration and where it came from. */
export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** As it was read, for whoever watches the file. */
  readonly source: SettledFile;
  /** What relative paths are relative to. */
  readonly directory: string;
}

/**
 * Reads a configuration file. Relative paths in it are made absolute, but those of backends are left to their plugins.
 *
 * @throws {InvalidOptionsError} with every fault.
 */
export async function loadConfiguration(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LoadedConfiguration> {
  const path = resolve(file);
  const source = await readSettled(path).catch((error: unknown) => {
    if (!(error instanceof FileReadError)) throw error;
    throw new InvalidOptionsError([{ path: [], message: error.fault }], { cause: error });
  });
  const directory = dirname(path);
  const configuration = parseConfiguration(decode(source.content), environment);
  return { configuration: withAbsolutePaths(configuration, directory), source, directory };
}

function decode(content: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (error) {
    throw new InvalidOptionsError([{ path: [], message: "is not UTF-8 text" }], { cause: error });
  }
}

function withAbsolutePaths(configuration: Configuration, directory: string): Configuration {
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(directory, path));
  const { listen, upstream } = configuration;
  return {
    ...configuration,
    listen: {
      ...listen,
      address: "socket" in listen.address ? { socket: absolute(listen.address.socket) } : listen.address,
      ...(listen.tls && {
        tls: { ...listen.tls, certificate: absolute(listen.tls.certificate), key: absolute(listen.tls.key) },
      }),
    },
    upstream: { ...upstream, ...(upstream.ca !== undefined && { ca: absolute(upstream.ca) }) },
  };
}

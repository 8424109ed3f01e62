import { dirname, isAbsolute, resolve } from "node:path";
import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { prepareAccess } from "@registry-gate/core";
import { FileReadError, readSettled, type SettledFile } from "@registry-gate/watched-file";
import { type Configuration, withAbsolutePaths } from "./configuration.ts";
import { type ReadConfiguration, readConfiguration } from "./parse.ts";
import type { Path } from "./path.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the text of a configuration: at once, or beside whatever the process does. */
type ReadText = (text: string, environment: Environment) => ReadConfiguration | Promise<ReadConfiguration>;

/** A configuration and where it came from. */
export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** The file as it was read, to watch for changes since. */
  readonly source: SettledFile;
  /** The base directory of relative paths. */
  readonly directory: string;
  /** Paths of values that consist of one environment variable. */
  readonly placeholders: readonly Path[];
}

/** A configuration file, read as far as it is valid. */
export interface InspectedConfiguration {
  /** All faults of its form. */
  readonly faults: readonly Fault[];
  /** Without faults, the configuration; otherwise its valid rest, to find further faults in and never to be run. */
  readonly loaded: LoadedConfiguration | undefined;
  /** Paths of what was left out of it. Faults found there say nothing about the file. */
  readonly leftOut: readonly Path[];
}

/**
 * Reads a configuration file. Relative paths in it are made absolute, but those of backends are left to their plugins. The
 * rules of access are prepared for `registryProxy`.
 *
 * @throws {InvalidOptionsError} when the file cannot be read at all.
 */
export async function inspectConfiguration(
  file: string,
  environment: Environment,
  readText: ReadText = readConfiguration,
): Promise<InspectedConfiguration> {
  const source = await readSettled(resolve(file)).catch((error: unknown) => {
    if (!(error instanceof FileReadError)) throw error;
    throw new InvalidOptionsError([{ path: [], message: error.fault }], { cause: error });
  });
  return inspectSource(source, environment, readText);
}

/**
 * Judges a configuration file that was read already, as {@link inspectConfiguration} does.
 *
 * @throws {InvalidOptionsError} when it is no text.
 */
export async function inspectSource(
  source: SettledFile,
  environment: Environment,
  readText: ReadText = readConfiguration,
): Promise<InspectedConfiguration> {
  const directory = dirname(source.path);
  const { configuration: read, ...findings } = await readText(decode(source.content), environment);
  if (read === undefined) return { ...findings, loaded: undefined };
  const { access } = read;
  const configuration = access === undefined ? read : { ...read, access: await prepareAccess(access) };
  const { placeholders } = findings;
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(directory, path));
  const loaded = { configuration: withAbsolutePaths(configuration, absolute), source, directory, placeholders };
  return { ...findings, loaded };
}

/**
 * Reads a configuration file, as {@link inspectConfiguration} does.
 *
 * @throws {InvalidOptionsError} with every fault of its form.
 */
export async function loadConfiguration(
  file: string,
  environment: Environment,
  readText: ReadText = readConfiguration,
): Promise<LoadedConfiguration> {
  const { faults, loaded } = await inspectConfiguration(file, environment, readText);
  if (faults.length > 0 || loaded === undefined) throw new InvalidOptionsError(faults);
  return loaded;
}

function decode(content: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (error) {
    throw new InvalidOptionsError([{ path: [], message: "is not UTF-8 text" }], { cause: error });
  }
}

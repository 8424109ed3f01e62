import { join, resolve } from "node:path";
import { type Fault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { chooseProxy, type FollowedValue, followSecret } from "@registry-gate/auth-kit";
import { inspectQueue } from "@registry-gate/state";
import { FileReadError, readSettled } from "@registry-gate/watched-file";
import type { EndpointConfiguration, EventsConfiguration } from "../config/sections/events.ts";

/** The files of an endpoint, read. */
export interface EndpointFiles {
  readonly configuration: EndpointConfiguration;
  readonly queueFile: string;
  readonly ca: string | undefined;
  readonly secret: FollowedValue<string>;
}

export interface EndpointSurroundings {
  /** Of the configuration. */
  readonly directory: string;
  readonly log: Logger;
}

/**
 * Reads what the endpoints name.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing is followed.
 */
export async function openEndpoints(
  endpoints: EventsConfiguration,
  surroundings: EndpointSurroundings,
): Promise<readonly EndpointFiles[]> {
  const faults: Fault[] = [...duplicates(endpoints)];
  const opened: EndpointFiles[] = [];
  for (const [index, configuration] of endpoints.entries()) {
    try {
      opened.push(await openEndpoint(configuration, ["events", index], surroundings));
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length === 0) return opened;
  for (const { secret } of opened) secret.close();
  throw new InvalidOptionsError(faults);
}

/**
 * Finds what would keep the endpoints from being used; nothing is made or sent.
 *
 * @returns faults and warnings, with paths from the root.
 */
export async function inspectEndpoints(
  endpoints: EventsConfiguration = [],
  surroundings: EndpointSurroundings,
): Promise<{ readonly faults: readonly Fault[]; readonly warnings: readonly Fault[] }> {
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  try {
    for (const [index, { secret }] of (await openEndpoints(endpoints, surroundings)).entries()) {
      secret.close();
      if (secret.current().length >= leastSecret) continue;
      const message = `holds fewer than ${leastSecret} characters: whoever sees one notification can guess it`;
      warnings.push({ path: ["events", index, "secretFile"], message });
    }
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    faults.push(...error.faults);
  }
  for (const [index, endpoint] of endpoints.entries()) {
    try {
      await inspectQueue({ file: queueFileOf(endpoint, surroundings) });
    } catch (error) {
      faults.push(...atQueueFile(error, index));
    }
  }
  return { faults, warnings };
}

/** The faults of a queue's file, at its place in the configuration. */
export function atQueueFile(error: unknown, index: number): readonly Fault[] {
  if (!(error instanceof InvalidOptionsError)) throw error;
  return error.faults.map(({ message }) => ({ path: ["events", index, "queueFile"], message }));
}

const leastSecret = 16;

async function openEndpoint(
  configuration: EndpointConfiguration,
  path: Fault["path"],
  surroundings: EndpointSurroundings,
): Promise<EndpointFiles> {
  const { directory, log } = surroundings;
  const { ca, secretFile } = configuration;
  checkProxy(configuration, path);
  const certificates = ca === undefined ? undefined : await readCertificates(resolve(directory, ca), [...path, "ca"]);
  const secret = await followSecret(secretFile, [...path, "secretFile"], { baseDirectory: directory, log });
  return { configuration, queueFile: queueFileOf(configuration, surroundings), ca: certificates, secret };
}

function queueFileOf({ queueFile }: EndpointConfiguration, { directory }: EndpointSurroundings): string {
  return queueFile === undefined ? join(directory, "events.db") : resolve(directory, queueFile);
}

/** The variables of the environment do not change. */
function checkProxy({ url }: EndpointConfiguration, path: Fault["path"]): void {
  try {
    chooseProxy(undefined)(new URL(url));
  } catch (error) {
    const message = `cannot be reached: ${error instanceof Error ? error.message : error}`;
    throw new InvalidOptionsError([{ path: [...path, "url"], message }]);
  }
}

async function readCertificates(file: string, path: Fault["path"]): Promise<string> {
  try {
    const certificates = (await readSettled(file)).content.toString("utf8");
    if (certificates.includes("-----BEGIN CERTIFICATE-----")) return certificates;
    throw new InvalidOptionsError([{ path, message: `holds no certificate: ${file}` }]);
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    throw new InvalidOptionsError([{ path, message: error.message }]);
  }
}

/** Two with one URL would share what waits for it. */
function duplicates(endpoints: EventsConfiguration): readonly Fault[] {
  return endpoints.flatMap(({ url }, index) => {
    const first = endpoints.findIndex((other) => new URL(other.url).href === new URL(url).href);
    return first === index ? [] : [{ path: ["events", index, "url"], message: `is the one of events[${first}] again` }];
  });
}

import type { Fault } from "@registry-gate/auth";
import { optionFaults } from "@registry-gate/auth-kit";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { type Configuration, configurationSchema } from "./configuration.ts";
import { expandEnvironment } from "./expand.ts";
import { isWithin, type Path } from "./path.ts";
import { pruneInvalid } from "./prune-invalid.ts";
import { typePlaceholders } from "./type-placeholders.ts";
import { withQuoteHint, yamlFaults } from "./yaml-faults.ts";

/** As many references as an honest configuration could have, and far fewer than make a memory bomb. */
const mostAliases = 100;

/** A configuration, read as far as it is valid. */
export interface ReadConfiguration {
  /** All faults of its form. */
  readonly faults: readonly Fault[];
  /** Without faults, the configuration; otherwise its valid rest, to find further faults in and never to be run. */
  readonly configuration: Configuration | undefined;
  /** Paths of what was left out of it. Faults found there say nothing about the file. */
  readonly leftOut: readonly Path[];
  /** Where texts came whole from the environment: of a backend's option, its plugin says whether a number is meant. */
  readonly placeholders: readonly Path[];
}

/**
 * Reads a configuration in YAML 1.2, of which JSON is a part. Paths in it stay as they are written. As in compose files,
 * `<<` merges maps, and keys that begin with `x-` are for whatever is used again elsewhere.
 */
export function readConfiguration(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): ReadConfiguration {
  const lineCounter = new LineCounter();
  const options = { version: "1.2", strict: true, uniqueKeys: true, merge: true, lineCounter } as const;
  const document = parseDocument(text, options);
  const problems = yamlFaults(document, text, (offset) => lineCounter.linePos(offset));
  if (problems.length > 0) return unreadable(problems);
  let written: unknown;
  try {
    written = document.toJS({ maxAliasCount: mostAliases });
  } catch (error) {
    return unreadable([{ path: [], message: error instanceof Error ? firstLine(error.message) : "unreadable" }]);
  }
  const { value: expanded, faults, placeholders } = expandEnvironment(written, environment, isExtension);
  const value = placeholders.length === 0 ? expanded : typePlaceholders(expanded, placeholders, jsonSchema());
  const unset = faults.map(({ path }) => path);
  const judged = configurationSchema.safeParse(value);
  if (judged.success) return { faults, configuration: judged.data, leftOut: unset, placeholders };
  const found = [...optionFaults(configurationSchema, value)].filter(({ path }) => !isWithin(path, unset));
  faults.push(...found.map((fault) => withQuoteHint(fault, value)));
  const { rest, touched } = pruneInvalid(value, firstFault);
  const { data: configuration } = configurationSchema.safeParse(rest);
  return { faults, configuration, leftOut: [...unset, ...touched], placeholders };
}

/**
 * Whether a key of the map at a place is there for whatever is used again elsewhere, as in compose files, and is passed
 * over. Below an option of a backend such a key may be a name of the backend's own, like that of a claim.
 */
function isExtension(place: Path, key: string): boolean {
  const isBackendOption = place.length > 3 && place[0] === "auth" && place[1] === "backends";
  return key.startsWith("x-") && !isBackendOption;
}

let jsonSchemaMade: unknown;

function jsonSchema(): unknown {
  jsonSchemaMade ??= z.toJSONSchema(configurationSchema, { io: "input" });
  return jsonSchemaMade;
}

function unreadable(faults: readonly Fault[]): ReadConfiguration {
  return { faults, configuration: undefined, leftOut: [], placeholders: [] };
}

function firstFault(value: unknown): Path | undefined {
  const [first] = optionFaults(configurationSchema, value);
  return first?.path;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import type { Configuration } from "../config/configuration.ts";
import {
  type InspectedConfiguration,
  inspectConfiguration,
  type LoadedConfiguration,
  loadConfiguration,
} from "../config/load.ts";
import { isWithin } from "../config/path.ts";
import { readApart } from "../config/read-apart.ts";
import { buildGate, type Gate, type GateSurroundings } from "./gate.ts";

/** A gate and the configuration that it was built from. */
export interface LoadedGate {
  readonly loaded: LoadedConfiguration;
  readonly gate: Gate;
}

/** What a gate is given beside its configuration. */
export type Surroundings = Omit<GateSurroundings, "directory" | "placeholders">;

/**
 * Reads a configuration file and builds the gate that it describes; connects to nothing.
 *
 * @throws {InvalidOptionsError} with every fault: where the form is wrong in one place, the rest is judged all the same.
 */
export async function loadGate(
  file: string,
  surroundingsOf: (configuration: Configuration) => Surroundings,
): Promise<LoadedGate> {
  return loadInspected(await inspectConfiguration(file, process.env), surroundingsOf);
}

/** Builds a gate, as {@link loadGate} does, from a configuration that was read already. */
export async function loadInspected(
  { faults, loaded, leftOut }: InspectedConfiguration,
  surroundingsOf: (configuration: Configuration) => Surroundings,
): Promise<LoadedGate> {
  if (loaded === undefined) throw new InvalidOptionsError(faults);
  const { configuration, directory, placeholders } = loaded;
  const build = (): Promise<Gate> =>
    buildGate(configuration, { ...surroundingsOf(configuration), directory, placeholders });
  if (faults.length === 0) return { loaded, gate: await build() };
  const further = await faultsOfBuilding(build);
  throw new InvalidOptionsError([...faults, ...further.filter(({ path }) => !isWithin(path, leftOut))]);
}

async function faultsOfBuilding(build: () => Promise<Gate>): Promise<readonly Fault[]> {
  try {
    const gate = await build();
    await gate.retire();
    return [];
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.faults;
    throw error;
  }
}

/** Whether there is no fault in the form of a configuration file; holds up nothing. */
export async function isWellFormed(file: string): Promise<boolean> {
  try {
    await loadConfiguration(file, process.env, readApart);
    return true;
  } catch (error) {
    if (error instanceof InvalidOptionsError) return false;
    throw error;
  }
}

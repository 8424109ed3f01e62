import { InvalidOptionsError } from "@registry-gate/auth";
import { loadConfiguration } from "../config/load.ts";
import { workerCount } from "../config/sections/workers.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../process/gateway.ts";
import { startPrimary } from "./primary.ts";

/**
 * Starts the gateway that a configuration file describes, in as many processes as it names.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing is left running.
 */
export async function openGateway(file: string, options: GatewayOptions = {}): Promise<Gateway> {
  return (await countIn(file)) > 1 ? startPrimary(file, options) : startGateway(file, options);
}

/** Of a file that cannot be used, starting finds every fault. */
async function countIn(file: string): Promise<number> {
  try {
    const { configuration } = await loadConfiguration(file, process.env);
    return workerCount(configuration.workers);
  } catch (error) {
    if (error instanceof InvalidOptionsError) return 1;
    throw error;
  }
}

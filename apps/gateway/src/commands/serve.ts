import { InvalidOptionsError } from "@registry-gate/auth";
import { startGateway } from "../server/gateway.ts";
import type { Command } from "./command.ts";
import { configFile, configHelp } from "./config-file.ts";
import { reportFaults } from "./report.ts";

export const serve: Command = {
  name: "serve",
  synopsis: "--config FILE",
  summary: "run the gateway",
  details: [
    configHelp,
    "",
    "The log goes to standard output, a JSON object a line. SIGHUP, or a change of the configuration, builds a new gate and",
    "puts it in the place of the old one where nothing is wrong with it. SIGTERM and SIGINT let requests finish for at most",
    "30 seconds; a second one ends at once. The registry and the directories need not be there yet.",
    "",
    "Exit code: 0 after SIGTERM or SIGINT; 1 with one line for each fault where it cannot start.",
  ],
  async run(parameters) {
    const file = configFile(parameters);
    try {
      // Signals are listened for first: one that comes while the gateway starts would end the process.
      const stop = stopSignal();
      const starting = startGateway(file);
      process.on("SIGHUP", () => {
        starting.then(
          (gateway) => gateway.reload(),
          () => {},
        );
      });
      const gateway = await starting;
      await stop;
      await gateway.close();
      return 0;
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      reportFaults(file, error.faults);
      return 1;
    }
  },
};

/** The first signal lets requests finish; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        process.once("SIGTERM", () => process.exit(1));
        process.once("SIGINT", () => process.exit(1));
        resolve();
      });
    }
  });
}

import type { Command } from "./command.ts";
import { configFile, configHelp } from "./config-file.ts";
import { runGateway } from "./run-gateway.ts";

export const portal: Command = {
  name: "portal",
  synopsis: "--config FILE",
  summary: "run the gateway with pages beside the registry",
  details: [
    configHelp,
    "",
    "Does what serve does, by the same configuration, and serves pages at portal.path, / by default: repositories, access",
    "tokens and activity, for who signs in there by a backend of the configuration, a trusted header or OpenID Connect.",
    "Whoever has signed in is the same user below /v2/. It takes the place of serve, or runs beside it at another address.",
    "",
    "Sessions are kept in the state store: replicas with the same state, and the same keys or portal.secretsFile, share them.",
    "",
    "Signals and exit codes are those of serve.",
  ],
  async run(parameters) {
    const file = configFile(parameters);
    // What serve need not load.
    const { openPortal } = await import("../portal/open-portal.ts");
    return runGateway(file, openPortal);
  },
};

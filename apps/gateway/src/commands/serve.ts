import type { Command } from "./command.ts";
import { configFile, configHelp } from "./config-file.ts";
import { runGateway } from "./run-gateway.ts";

export const serve: Command = {
  name: "serve",
  synopsis: "--config FILE",
  summary: "run the gateway",
  details: [
    configHelp,
    "",
    "Writes the log to standard output, a JSON object a line. Reloads the configuration on SIGHUP and when the file changes,",
    "and keeps the running one if the new one is invalid. SIGTERM, SIGINT and SIGQUIT wait for requests to finish, for at",
    "most listen.drainTimeout, 30 seconds by default; a second signal ends the process at once. With an admin listener they",
    "are accepted for admin.drainDelay before, 5 seconds by default; a second signal skips that. SIGUSR2 makes the registry",
    "read-only, and a second one ends that. SIGUSR1 does nothing. The registry and the directories need not be available at",
    "the start.",
    "",
    "Started by systemd with Type=notify, it says by systemd-notify when it is ready, reloads and stops, and keeps the",
    "watchdog.",
    "",
    "With workers in the configuration it starts further processes, which handle the requests, and does all else itself.",
    "",
    "An uncaught error is logged; requests in flight may finish as after SIGTERM, and the process ends with 1, so that a",
    "supervisor restarts it.",
    "",
    "Exit code: 0 after SIGTERM, SIGINT or SIGQUIT; 1 after an uncaught error, or with one line for each fault if it cannot",
    "start.",
  ],
  run: (parameters) => runGateway(configFile(parameters), undefined),
};

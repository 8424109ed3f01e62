import cluster from "node:cluster";

/**
 * A service manager and a terminal send signals to every process of a gate. The primary obeys, and its workers follow it, from
 * their first moment on: one that loads what it needs would be ended by a signal that it does not listen to.
 *
 * @module
 */
const signals = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR2"] as const;

if (cluster.isWorker) for (const signal of signals) process.on(signal, () => {});

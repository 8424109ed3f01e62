/**
 * Node opens its debugger on a port at SIGUSR1, which other servers take as "open the log again": with any listener it does
 * not (Node's documentation, "Signal events"). The listener does nothing, and does not keep the process alive.
 *
 * @module
 */
process.on("SIGUSR1", () => {});

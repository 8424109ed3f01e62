import { constants, fstatSync, openSync } from "node:fs";

let descriptor: number | undefined;

/**
 * A descriptor of the standard output on which a write fails with EAGAIN instead of waiting for the reader. Regular
 * files have no such state: a write to them returns.
 */
export function nonBlockingStandardOutput(): number {
  descriptor ??= open();
  return descriptor;
}

function open(): number {
  // Node makes pipes and sockets non-blocking when it builds their stream, which the first use of `stdout` does, and
  // undoes that at the end of the process. Plugins may write there too: that nobody reads must not end the process.
  process.stdout.on("error", () => {});
  if (!fstatSync(process.stdout.fd).isCharacterDevice()) return process.stdout.fd;
  // A terminal can be stopped (Control-S). Opened anew, it can be set up without a change for other processes.
  try {
    return openSync("/dev/stdout", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return process.stdout.fd;
  }
}

import { runCommand } from "../support/run.ts";

/** The ways in which slowhttptest is slow. */
export type SlowMode = "slow headers" | "slow body" | "range" | "slow read";

export const slowModes: readonly SlowMode[] = ["slow headers", "slow body", "range", "slow read"];

export interface Attack {
  readonly mode: SlowMode;
  /** What is asked for. */
  readonly url: string;
  /** The value of `Authorization`, where the mode can bear one. */
  readonly authorization: string;
  readonly connections: number;
  readonly seconds: number;
}

/** Of new connections, a second. */
const rate = 500;

/**
 * Attacks a server with slowhttptest until the time is over, or it has no connection left.
 *
 * @returns what it says of itself at its end.
 */
export async function slowHttpTest(attack: Attack): Promise<string> {
  const { url, connections, seconds } = attack;
  const general = ["-c", `${connections}`, "-r", `${rate}`, "-l", `${seconds}`, "-u", url];
  const { stdout } = await runCommand("slowhttptest", [...general, ...parametersOf(attack)]);
  return stdout.replace(/\u001b\[[0-9;]*m/g, "");
}

function parametersOf({ mode, authorization }: Attack): string[] {
  switch (mode) {
    case "slow headers":
      return ["-H", "-i", "2", "-t", "GET"];
    case "slow body":
      // It knows of no login, but writes what it is given for a header as it is.
      return [
        "-B",
        "-i",
        "2",
        "-s",
        "8192",
        "-t",
        "PATCH",
        "-f",
        `application/octet-stream\r\nAuthorization: ${authorization}`,
      ];
    case "range":
      return ["-R", "-t", "GET", "-a", "10", "-b", "3000"];
    case "slow read":
      return ["-X", "-w", "1", "-y", "512", "-n", "1", "-z", "5", "-k", "1"];
  }
}

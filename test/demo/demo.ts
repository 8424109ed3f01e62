import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { type ReadServer, startLoggedServer } from "../support/logged-server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The command line of `pnpm demo`. */
export const demoCommand: readonly [program: string, ...parameters: string[]] = [
  process.execPath,
  "--conditions=development",
  fileURLToPath(new URL("../../apps/demo/src/main.ts", import.meta.url)),
];

/** A command that the demo tells its user to type, and what it says will come of it. */
export interface Advice {
  readonly command: string;
  readonly outcome: string;
}

/** A demo that runs. */
export interface Demo extends ReadServer {
  /** What it has printed to be read. */
  readonly guide: string;
  /** All that it tells to type, in order. */
  readonly advice: readonly Advice[];
}

/** Starts a demo on a free port, and reads its guide. */
export async function startDemo(
  parameters: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Demo> {
  const [command, ...before] = demoCommand;
  const server = await startLoggedServer({
    command,
    parameters: [...before, "--port", "0", ...parameters],
    directory: root,
    environment,
    log: "stdout",
    addressIn: ({ event, address }) => (event === "listening" && typeof address === "string" ? address : undefined),
  });
  const guide = await guideOf(server);
  const advice = [...guide.matchAll(/^ {2}((?:docker|skopeo|curl) .*)\n {6}(.*)$/gm)];
  return {
    ...server,
    guide,
    advice: advice.map(([, typed = "", outcome = ""]) => ({ command: typed, outcome })),
  };
}

/** It is printed right after the gate has begun to listen. */
async function guideOf(server: ReadServer): Promise<string> {
  return vi.waitFor(
    () => {
      const said = server.output();
      if (!said.includes("Ctrl-C ends")) throw new Error(`no guide:\n${said}`);
      return said;
    },
    { timeout: 30_000 },
  );
}

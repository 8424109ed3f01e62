import { randomBytes } from "node:crypto";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";

export interface OpenGate extends RunningGate {
  readonly username: string;
  readonly password: string;
}

/** How the gate asks for a login. */
export type Challenge = "basic" | "bearer";

/** By the second way the gate keeps content for as long as it can: a client must not notice it. */
const cached = { cache: { ttl: "1h", maxAge: "1h" } };

/** Starts the gate in front of the registry at `upstream` (`host:port`), with one user who may do everything. */
export async function startOpenGate(upstream: string, challenge: Challenge): Promise<OpenGate> {
  const username = "conformance";
  const password = randomBytes(12).toString("base64url");
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: {
        url: `http://${upstream}`,
        transport: process.env.CONFORMANCE_TRANSPORT ?? "auto",
        ...(challenge === "bearer" && cached),
      },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }], challenge },
      access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*"] }],
    },
    files: { htpasswd: await passwordFile({ [username]: password }) },
  });
  return { ...gate, username, password };
}

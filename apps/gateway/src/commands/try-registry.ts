import type { IncomingMessage } from "node:http";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { timerDelay } from "@registry-gate/auth";
import { readSettled } from "@registry-gate/watched-file";
import type { Configuration } from "../config/configuration.ts";
import { failureText, stepText } from "./step-text.ts";
import { type Finding, timedStep } from "./timed-step.ts";

const patience = 10_000;

/**
 * Asks the registry whether it is one, and prints what it says.
 *
 * @returns what has failed, in a line; nothing where all is well.
 */
export async function tryRegistry({
  url,
  ca,
  connectTimeout = patience,
}: Configuration["upstream"]): Promise<string[]> {
  process.stdout.write(`upstream\n  ${url}\n`);
  const step = await timedStep("ping", url, async () => {
    const trust = ca === undefined ? {} : { ca: (await readSettled(ca)).content };
    return judge(await ping(url, { ...trust, signal: AbortSignal.timeout(timerDelay(connectTimeout)) }));
  });
  process.stdout.write(stepText(step));
  return step.outcome === "ok" ? [] : [`upstream: ${failureText(step)}`];
}

function ping(url: string, options: { ca?: Buffer; signal: AbortSignal }): Promise<IncomingMessage> {
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    request(new URL("/v2/", url), { ...options, agent: false }, (answer) => {
      answer.resume();
      resolve(answer);
    })
      .once("error", (error) => reject(options.signal.aborted ? new Error("no answer in time") : explained(error)))
      .end();
  });
}

/** Of a name with several addresses, Node's error has a code alone. */
function explained(error: NodeJS.ErrnoException): Error {
  return error.message === "" ? new Error(error.code ?? error.name, { cause: error }) : error;
}

/** A registry answers its own version check with 200: OCI Distribution Specification 1.1, section "Determining Support". */
function judge({ statusCode = 0, headers }: IncomingMessage): Finding {
  const version = headers["docker-distribution-api-version"];
  const failed = (reason: string): Finding => ({ outcome: "failed", about: "backend", details: { reason } });
  if (statusCode === 401)
    return failed("it asks for a login of its own, and no user's password is ever passed on to it");
  if (statusCode !== 200) return failed(`answers with ${statusCode}, where a registry answers with 200`);
  return {
    outcome: "ok",
    about: "backend",
    details: typeof version === "string" ? { version } : {},
  };
}

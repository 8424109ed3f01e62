import type { AuthBackend, DiagnosisLogin, DiagnosisStep } from "@registry-gate/auth";
import type { StateConfiguration } from "../config/sections/state.ts";
import type { UpstreamConfiguration } from "../config/sections/upstream.ts";
import { diagnoseBackend } from "../diagnosis/backend.ts";
import { failureText } from "../diagnosis/failure-text.ts";
import { diagnoseRegistry } from "../diagnosis/registry.ts";
import { diagnoseRedis } from "../diagnosis/state.ts";
import { askHidden, readLine } from "./password-input.ts";
import { stepText } from "./step-text.ts";

/** For one backend: far above what its own time limits add up to. */
const timeLimit = 120_000;

interface Failure {
  readonly about: DiagnosisStep["about"];
  readonly text: string;
}

/**
 * Tries every backend for real and prints each step with its time. With `user`, the password is asked for; without one,
 * the user is only looked up.
 *
 * @returns the failures, a line each. A user rejected by one backend is no failure if another one accepts them.
 */
export async function tryBackends(
  backends: readonly AuthBackend[],
  user: string | undefined,
): Promise<readonly string[]> {
  const login = user === undefined ? undefined : await askFor(user);
  const failures: Failure[] = [];
  let accepted = false;
  for (const [index, backend] of backends.entries()) {
    const place = `auth.backends[${index}]`;
    process.stdout.write(`${place} (${backend.id})\n`);
    let target: string | undefined;
    let steps = 0;
    for await (const step of diagnoseBackend(backend, login, AbortSignal.timeout(timeLimit))) {
      steps++;
      if (step.target !== target) process.stdout.write(`  ${step.target}\n`);
      ({ target } = step);
      process.stdout.write(stepText(step));
      if (step.outcome === "ok") accepted ||= step.about === "login" && login?.password !== undefined;
      else failures.push({ about: step.about, text: `${place}: ${failureText(step)}` });
    }
    if (steps === 0) process.stdout.write("  no connection to test\n");
  }
  return failures.filter(({ about }) => about === "backend" || !accepted).map(({ text }) => text);
}

/**
 * Tries the registry for real and prints the step with its time.
 *
 * @returns the failure, in a line; empty if the registry works.
 */
export async function tryRegistry(upstream: UpstreamConfiguration): Promise<readonly string[]> {
  process.stdout.write(`upstream\n  ${upstream.url}\n`);
  const step = await diagnoseRegistry(upstream);
  process.stdout.write(stepText(step));
  return step.outcome === "ok" ? [] : [`upstream: ${failureText(step)}`];
}

/**
 * Tries the Redis of the state store for real and prints the step with its time. A file has been tried already.
 *
 * @returns what has failed, in a line; nothing where all is well.
 */
export async function tryState(state: StateConfiguration | undefined): Promise<readonly string[]> {
  if (state === undefined || !("redis" in state)) return [];
  const step = await diagnoseRedis(state.redis);
  process.stdout.write(`state\n  ${step.target}\n${stepText(step)}`);
  return step.outcome === "ok" ? [] : [`state.redis: ${failureText(step)}`];
}

/** In Normalization Form C, as in a request. */
async function askFor(user: string): Promise<DiagnosisLogin> {
  const username = user.normalize("NFC");
  const question = `Password for ${username} (empty: only look the user up): `;
  const [response = ""] = process.stdin.isTTY
    ? await askHidden(process.stdin, [question])
    : [await readLine(process.stdin)];
  const password = response.normalize("NFC");
  return password === "" ? { username } : { username, password };
}

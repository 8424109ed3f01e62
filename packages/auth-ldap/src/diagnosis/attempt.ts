import type { DiagnosisStep, Identity } from "@registry-gate/auth";
import { DirectoryError, describeCause } from "../directory-error.ts";

/** The steps of a diagnosis, and in the end what they were for; `undefined` where a step has failed. */
export type Steps<T> = AsyncGenerator<DiagnosisStep, T | undefined, void>;

export type Details = DiagnosisStep["details"];

/** The result of a step, or why this login is rejected. */
export type Found<T> =
  | { readonly value: T; readonly details: Details; readonly refusal?: never }
  | { readonly refusal: string };

/**
 * Runs one step and yields its outcome. An error that `act` throws is about the backend.
 *
 * @param success What a success is about.
 * @param identity The identity to yield with a success.
 */
export async function* attempt<T>(
  step: string,
  target: string,
  act: () => Promise<Found<T>>,
  success: DiagnosisStep["about"] = "backend",
  identity?: Identity,
): Steps<T> {
  const start = performance.now();
  const told = (outcome: "ok" | "failed", about: "backend" | "login", details: Details): DiagnosisStep => ({
    step,
    target,
    outcome,
    about,
    milliseconds: performance.now() - start,
    details,
  });
  try {
    const found = await act();
    if (found.refusal !== undefined) {
      yield told("failed", "login", { reason: found.refusal });
      return undefined;
    }
    const done = told("ok", success, found.details);
    yield identity === undefined ? done : { ...done, identity };
    return found.value;
  } catch (error) {
    yield told("failed", "backend", { reason: reasonOf(error) });
    return undefined;
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof DirectoryError ? error.message : describeCause(error);
}

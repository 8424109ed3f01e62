import { InvalidOptionsError } from "@registry-gate/auth";

/** Secrets, the one that signs first; or what has them, where they can change while the portal runs. */
export type Secrets = readonly string[] | (() => readonly string[]);

/** No shorter one is of as many bits as a signature needs. */
const shortestSecret = 32;

/** @throws {InvalidOptionsError} at `secrets`, where there is none, or one is too short. */
export function currentSecrets(secrets: Secrets): readonly string[] {
  const current = typeof secrets === "function" ? secrets() : secrets;
  if (current.length > 0 && current.every((secret) => secret.length >= shortestSecret)) return current;
  const message = `must be secrets of at least ${shortestSecret} characters`;
  throw new InvalidOptionsError([{ path: ["secrets"], message }]);
}

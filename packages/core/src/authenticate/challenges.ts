import type { AuthBackend, Challenge, ChallengeContext } from "@registry-gate/auth";

/** Makes a challenge for a 401. */
export type MakeChallenge = (context: ChallengeContext) => Challenge;

/** The default challenge: Basic with a realm (RFC 7617, section 2). */
export function basicChallenge(realm: string): MakeChallenge {
  const challenge: Challenge = { scheme: "Basic", parameters: { realm } };
  return () => challenge;
}

/**
 * The challenges of all backends, without duplicates.
 *
 * @param own The default, for backends that have none.
 */
export function challengesOf(
  backends: readonly AuthBackend[],
  own: MakeChallenge,
  context: ChallengeContext,
): readonly Challenge[] {
  const challenges = new Map<string, Challenge>();
  for (const backend of backends) {
    const challenge = backend.challenge?.(context) ?? own(context);
    challenges.set(JSON.stringify([challenge.scheme, challenge.parameters]), challenge);
  }
  return [...challenges.values()];
}

import type { AuthBackend, Challenge, ChallengeContext } from "@registry-gate/auth";

/** Makes a challenge for a 401. */
export type MakeChallenge = (context: ChallengeContext) => Challenge;

/** The default challenge: Basic with a realm (RFC 7617, section 2). */
export function basicChallenge(realm: string): MakeChallenge {
  const challenge: Challenge = { scheme: "Basic", parameters: { realm } };
  return () => challenge;
}

/**
 * What the first backend asks for, if it has a challenge of its own.
 *
 * A response has one challenge: docker tries the first that it knows, and gives up with the others.
 */
export function challengeOf([first]: readonly AuthBackend[]): MakeChallenge | undefined {
  return first?.challenge === undefined ? undefined : first.challenge.bind(first);
}

import { basicChallenge, type MakeChallenge } from "@registry-gate/core";
import type { Configuration } from "../config/configuration.ts";

/** Chooses what a 401 of the gate asks for. */
export function gateChallenge({ challenge = "basic", realm = "Registry realm" }: Configuration["auth"]): MakeChallenge {
  switch (challenge) {
    case "basic":
      return basicChallenge(realm);
  }
}

import type { AuthBackend, Fault } from "@registry-gate/auth";
import { inTurns, type Steps } from "@registry-gate/auth-kit";
import type { Gate } from "../gate/gate.ts";
import { knownNames } from "./known-names.ts";
import { pushWithoutPull } from "./push-without-pull.ts";
import { riskWarnings } from "./risk-warnings.ts";
import { subjectWarnings } from "./subject-warnings.ts";
import { usernameWarnings } from "./username-warnings.ts";

/** All warnings about a configuration: risks, rules without effect, and rules that clients cannot work with. */
export function warningsOf(gate: Gate): Promise<readonly Fault[]> {
  return inTurns(warningSteps(gate));
}

function* warningSteps(gate: Gate): Steps<readonly Fault[]> {
  const { configuration, backends } = gate;
  const { auth, access = [] } = configuration;
  const known = knownNames(backends);
  const kinds = {
    withoutGroups: known.complete && known.groups.size === 0,
    directory: backends.some(isDirectory),
  };
  return [
    ...gate.warnings,
    ...riskWarnings(configuration, gate.tls),
    ...(yield* pushWithoutPull(access, known)),
    ...(yield* subjectWarnings(access, known, kinds)),
    ...(yield* usernameWarnings(access, auth.backends, backends)),
  ];
}

/** Whether a backend looks users up in a place that it cannot list: by the contract, one with `diagnose` and no `roster`. */
function isDirectory({ diagnose, roster }: AuthBackend): boolean {
  return diagnose !== undefined && roster === undefined;
}

import type { Fault } from "@registry-gate/auth";
import type { Gate } from "../gate/gate.ts";
import { knownNames } from "./known-names.ts";
import { pushWithoutPull } from "./push-without-pull.ts";
import { riskWarnings } from "./risk-warnings.ts";
import { subjectWarnings } from "./subject-warnings.ts";
import { usernameWarnings } from "./username-warnings.ts";

/** All that an operator is warned of: what is risky, what has no effect, and what clients cannot live with. */
export function warningsOf(gate: Gate): Fault[] {
  const { configuration, backends } = gate;
  const { auth, access = [] } = configuration;
  const known = knownNames(backends);
  const kinds = {
    withoutGroups: known.complete && known.groups.size === 0,
    directory: auth.backends.some(({ type }) => type === "ldap"),
  };
  return [
    ...gate.warnings,
    ...riskWarnings(configuration, gate.tls),
    ...pushWithoutPull(access, known),
    ...subjectWarnings(access, known, kinds),
    ...usernameWarnings(access, auth.backends, backends),
  ];
}

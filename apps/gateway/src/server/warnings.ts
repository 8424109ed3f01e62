import type { Fault } from "@registry-gate/auth";
import { knownNames } from "../rules/known-names.ts";
import { pushWithoutPull } from "../rules/push-without-pull.ts";
import { subjectWarnings } from "../rules/subject-warnings.ts";
import { usernameWarnings } from "../rules/username-warnings.ts";
import type { Gate } from "./gate.ts";
import { riskWarnings } from "./risks.ts";

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

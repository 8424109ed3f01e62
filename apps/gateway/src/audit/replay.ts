import type { AnonymousPrincipal, Identity, Principal, UserPrincipal } from "@registry-gate/auth";
import { actionOf, isRepository, type Operation, type Policy, type PolicyDecision } from "@registry-gate/core";
import type { AuditEvent } from "./audit-event.ts";
import { isAuditEvent } from "./audit-schema.ts";

/** What other rules would decide about the requests of an audit. */
export interface Replay {
  /** Those that would be decided otherwise, by user and rule; in the order in which each was first met. */
  readonly differences: readonly Difference[];
  /** How many requests were decided again. */
  readonly replayed: number;
  /** How many lines are no event, such as one that was torn. */
  readonly unreadable: number;
  /** How many events no rule has decided: failed logins, reloads, refused requests. */
  readonly undecided: number;
  /** How many denials had another reason than rules and grants, such as an immutable tag. */
  readonly beyondRules: number;
}

/** Requests of one user that one rule has decided, and that another one would decide otherwise. */
export interface Difference {
  /** `undefined`: anonymous callers. */
  readonly username: string | undefined;
  readonly was: Ruling;
  readonly would: Ruling;
  readonly requests: number;
  /** By action and repository, such as `push team/app`; at most {@link mostAccesses} of them. */
  readonly accesses: ReadonlyMap<string, number>;
}

export interface Ruling {
  readonly allowed: boolean;
  /** The index in `access`; `undefined` where no rule applies. */
  readonly rule: number | undefined;
}

/** Of each difference. Requests for others are counted all the same. */
const mostAccesses = 1000;

/** Decides each request of an audit again. Memory grows with the differences alone. */
export async function replay(lines: AsyncIterable<string>, policy: Policy): Promise<Replay> {
  const differences = new Map<string, { difference: Difference; requests: number; accesses: Map<string, number> }>();
  const counts = { replayed: 0, unreadable: 0, undecided: 0, beyondRules: 0 };

  for await (const line of lines) {
    if (line === "") continue;
    const event = readEvent(line);
    if (event === undefined) {
      counts.unreadable++;
      continue;
    }
    const asked = accessOf(event);
    if (asked === undefined) {
      counts.undecided++;
      continue;
    }
    if (isBeyondRules(event)) {
      counts.beyondRules++;
      continue;
    }
    counts.replayed++;
    const was: Ruling = { allowed: event.decision === "allowed", rule: event.rule };
    const would = rulingOf(policy.decide(principalOf(event), { type: "repository", ...asked }));
    if (was.allowed === would.allowed) continue;
    add(event.username, was, would, `${asked.action} ${asked.name}`);
  }

  function add(username: string | undefined, was: Ruling, would: Ruling, access: string): void {
    const key = JSON.stringify([username ?? null, was, would]);
    let known = differences.get(key);
    if (known === undefined) {
      const accesses = new Map<string, number>();
      known = { difference: { username, was, would, requests: 0, accesses }, requests: 0, accesses };
      differences.set(key, known);
    }
    known.requests++;
    const before = known.accesses.get(access);
    if (before !== undefined || known.accesses.size < mostAccesses) known.accesses.set(access, (before ?? 0) + 1);
  }

  return {
    ...counts,
    differences: [...differences.values()].map(({ difference, requests }) => ({ ...difference, requests })),
  };
}

function readEvent(line: string): AuditEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isAuditEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What the request has asked for; `undefined` where rules have decided nothing. */
function accessOf(event: AuditEvent): { name: string; action: "pull" | "push" | "delete" } | undefined {
  const { event: kind, decision, operation, repository: name } = event;
  const decided = decision === "allowed" || kind === "denied";
  if (!decided || operation === undefined || name === undefined || !isRepository(name)) return undefined;
  const action = actionOf(asOperation(operation));
  return action && { name, action };
}

/** An operation of a later version is none that is known here. */
function asOperation(text: string): Operation {
  const operation: Operation | undefined = operations.find((known) => known === text);
  return operation ?? "ping";
}

const operations: readonly Operation[] = [
  ...(["list-tags", "list-referrers", "get-manifest", "get-blob", "put-manifest", "delete-manifest"] as const),
  ...(["start-upload", "get-upload", "continue-upload", "finish-upload", "cancel-upload", "delete-blob"] as const),
];

/** Denied before rules were asked, or after they had allowed it. */
function isBeyondRules({ event, phase }: AuditEvent): boolean {
  return event === "denied" && phase !== "authorize";
}

/** As the request had it: with the groups of that time. */
function principalOf(event: AuditEvent): Principal {
  const { username, subject, backend = "", via = "basic", grants } = event;
  const limit = grants === undefined ? {} : { grants };
  if (username === undefined) return { kind: "anonymous", ...limit } satisfies AnonymousPrincipal;
  const { groups = [], ambiguousGroups, groupsIncomplete, nameMatching } = event;
  const identity: Identity = {
    ...{ subject: subject ?? username, username, groups, backend },
    ...(ambiguousGroups !== undefined && { ambiguousGroups }),
    ...(groupsIncomplete !== undefined && { groupsIncomplete }),
    ...(nameMatching !== undefined && { nameMatching }),
  };
  return { kind: "user", identity, via, ...limit } satisfies UserPrincipal;
}

function rulingOf({ allowed, rule }: PolicyDecision): Ruling {
  return { allowed, rule };
}

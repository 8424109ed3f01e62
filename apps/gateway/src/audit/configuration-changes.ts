import type { Steps } from "@registry-gate/auth-kit";
import type { Configuration } from "../config/configuration.ts";
import type { ConfigurationChange } from "./audit-event.ts";

/** Keys whose texts are no secret, and say what was decided. */
const readable: readonly RegExp[] = [
  /^access\b/,
  /^listen\.(?:address|healthPath|trustedProxies|cors|tls\.minVersion|tls\.clientAuth)\b/,
  /^log\b/,
  /^audit\b/,
  /^auth\.backends\[\d+\]\.(?:type|id)$/,
];

/** What is below was written by somebody else: a number there could be a password. */
const closed: readonly RegExp[] = [/^auth\.backends\b/, /^upstream\.credentials\b/, /^state\b/, /^keys\b/];

type Scalar = string | number | boolean;

/** The keys in which two configurations differ, down to single values, in the order of their paths. */
export function* configurationChanges(from: Configuration, to: Configuration): Steps<readonly ConfigurationChange[]> {
  const before = yield* leavesOf(from);
  const after = yield* leavesOf(to);
  const changes: ConfigurationChange[] = [];
  const compare = (path: string): void => {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === now) return;
    changes.push({
      path,
      ...(old !== undefined && maySay(path, old) && { from: old }),
      ...(now !== undefined && maySay(path, now) && { to: now }),
    });
  };
  for (const path of before.keys()) {
    yield;
    compare(path);
  }
  for (const path of after.keys()) {
    yield;
    if (!before.has(path)) compare(path);
  }
  return changes;
}

function maySay(path: string, value: Scalar): boolean {
  if (readable.some((pattern) => pattern.test(path))) return true;
  return typeof value !== "string" && !closed.some((pattern) => pattern.test(path));
}

function* leavesOf(configuration: object): Steps<Map<string, Scalar>> {
  const leaves = new Map<string, Scalar>();
  function* visit(value: unknown, path: string): Steps<void> {
    yield;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      leaves.set(path, value);
    } else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) yield* visit(item, `${path}[${index}]`);
    } else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) yield* visit(item, path === "" ? key : `${path}.${key}`);
    }
  }
  yield* visit(configuration, "");
  return leaves;
}

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
export function configurationChanges(from: Configuration, to: Configuration): readonly ConfigurationChange[] {
  const before = leavesOf(from);
  const after = leavesOf(to);
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  return paths
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => {
      const [old, now] = [before.get(path), after.get(path)];
      return {
        path,
        ...(old !== undefined && maySay(path, old) && { from: old }),
        ...(now !== undefined && maySay(path, now) && { to: now }),
      };
    });
}

function maySay(path: string, value: Scalar): boolean {
  if (readable.some((pattern) => pattern.test(path))) return true;
  return typeof value !== "string" && !closed.some((pattern) => pattern.test(path));
}

function leavesOf(configuration: object): Map<string, Scalar> {
  const leaves = new Map<string, Scalar>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      leaves.set(path, value);
    } else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(item, `${path}[${index}]`);
    } else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) visit(item, path === "" ? key : `${path}.${key}`);
    }
  };
  visit(configuration, "");
  return leaves;
}

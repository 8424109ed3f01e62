import type { RequestRecord } from "@registry-gate/core";
import { type Acted, operationOf, parameterDifference } from "./registry-reading.ts";
import type { Probe } from "./well-formed.ts";

/** What the gate's rules keep from everybody. */
export const secretGlobs: readonly string[] = ["!secret", "!secret/**", "!**/secret", "!**/secret/**"];
const isSecret = (repository: string): boolean => repository.split("/").includes("secret");

/** What became of one probe. */
export interface Judged {
  readonly probe: Probe;
  /** The gate's own judgement; none where Node's parser refused the request before. */
  readonly record: RequestRecord | undefined;
  /** What came to the registry by way of the gate, byte for byte. */
  readonly heads: readonly string[];
  /** What the registry acted on, asked by the gate. */
  readonly gated: readonly Acted[];
  /** What the registry acted on, asked without the gate. */
  readonly alone: readonly Acted[];
}

/** Why the gate's judgement and the registry's actions do not fit together; `undefined` where they do. */
export function disagreement({ probe, record, heads, gated, alone }: Judged): string | undefined {
  if (record === undefined || record.decision !== "allowed") {
    return heads.length === 0 ? undefined : `refused (${record?.reason}), and yet the registry was sent ${heads[0]}`;
  }
  const { operation = "", repository } = record;
  // The gate asks for the list that it filters in its own name.
  if (operation === "list-repositories") return heads.length === 0 ? undefined : "the list was not filtered";
  const [head] = heads;
  if (head === undefined) return `${operation} was allowed and never arrived`;
  if (heads.length > 1 || gated.length > 1) return `one request became ${heads.length}`;
  const [method = "", target = "", ...rest] = head.slice(0, head.indexOf("\r\n")).split(" ");
  if (method !== probe.method || rest.join(" ") !== "HTTP/1.1") return `the request line was ${head.split("\r\n")[0]}`;
  if (repository !== undefined && isSecret(repository)) return `${repository} was to be denied`;
  const from = new URL(target, "http://registry").searchParams.get("from");
  if (from !== null && isSecret(from)) return `a mount from ${from} reached the registry`;
  const difference = parameterDifference(operation, probe.target, target);
  if (difference !== undefined) return difference;

  const [seen] = gated;
  if (seen === undefined) {
    // docker-registry 2.8 knows no referrers.
    const expected = `/v2/${repository}/referrers/${record.reference}`;
    if (operation === "list-referrers" && target.split("?")[0] === expected) return undefined;
    return `${operation} was sent as ${target}, and the registry did not understand it`;
  }
  if (operation !== operationOf(seen)) return `authorized ${operation}, acted as ${operationOf(seen)}`;
  if (repository !== seen.name) return `authorized on ${repository}, acted on ${seen.name}`;
  if (operation.endsWith("manifest") && record.reference !== seen.reference) {
    return `authorized ${record.reference}, acted on ${seen.reference}`;
  }
  if (operation.endsWith("blob") && record.reference !== seen.digest) {
    return `authorized ${record.reference}, acted on ${seen.digest}`;
  }
  const [itself] = alone;
  if (itself === undefined) return undefined;
  const { uri: _, ...asked } = itself;
  const { uri: __, ...rewritten } = seen;
  return JSON.stringify(asked) === JSON.stringify(rewritten)
    ? undefined
    : `the registry itself takes it for ${JSON.stringify(asked)}, by way of the gate for ${JSON.stringify(rewritten)}`;
}

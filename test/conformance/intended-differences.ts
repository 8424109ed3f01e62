import type { Difference } from "./compare.ts";

/** A test that goes otherwise through the gate on purpose, and never worse. */
interface IntendedDifference {
  readonly registry: string;
  readonly test: string;
  readonly reason: string;
}

const malformedDigest =
  "docker-registry answers a malformed digest with 500, and has stored the manifest; the gate refuses it with 400, as the specification wants";

const intendedDifferences: readonly IntendedDifference[] = [
  "manifest-put",
  "manifest-get",
  "delete/manifest-delete",
].map((test) => ({
  registry: "docker-registry",
  test: `OCI Conformance Test/invalid-digest-format/${test}`,
  reason: malformedDigest,
}));

export interface Judgement {
  readonly intended: readonly { readonly difference: Difference; readonly reason: string }[];
  readonly unexpected: readonly Difference[];
  /** Tests that are listed and did not differ: the list is out of date. */
  readonly stale: readonly string[];
}

/** Tells the differences that are listed from those that are not. Listed or not, a test must pass through the gate. */
export function judge(registry: string, differences: readonly Difference[]): Judgement {
  const listed = intendedDifferences.filter((intended) => intended.registry === registry);
  const reasonFor = ({ name, direct, throughGate }: Difference): string | undefined => {
    const passes = throughGate.length === direct.length && throughGate.every((seen) => seen.startsWith("passed"));
    return passes ? listed.find(({ test }) => test === name)?.reason : undefined;
  };
  return {
    intended: differences.flatMap((difference) => {
      const reason = reasonFor(difference);
      return reason === undefined ? [] : [{ difference, reason }];
    }),
    unexpected: differences.filter((difference) => reasonFor(difference) === undefined),
    stale: listed.map(({ test }) => test).filter((test) => !differences.some(({ name }) => name === test)),
  };
}

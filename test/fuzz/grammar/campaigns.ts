import fc from "fast-check";
import type { ConnectionSpec, FuzzCase, ResponseSpec } from "../case/fuzz-case.ts";
import { anyConnection, properConnection } from "./connection.ts";
import { anyOperation } from "./operations.ts";
import { anyRequest, properRequest } from "./request.ts";
import { hostileResponse, properResponse } from "./response.ts";

/** Who of the two sides is hostile. */
export type Campaign = "clients" | "registries";

export const campaigns: readonly Campaign[] = ["clients", "registries"];

/** Requests beyond them get an ordinary response. */
const mostResponses = 12;

function fuzzCase(
  connections: fc.Arbitrary<ConnectionSpec>,
  mostConnections: number,
  responses: fc.Arbitrary<ResponseSpec>,
): fc.Arbitrary<FuzzCase> {
  return fc.record({
    connections: fc.array(connections, { minLength: 1, maxLength: mostConnections }),
    responses: fc.array(responses, { maxLength: mostResponses, size: "max" }),
  });
}

/** Hostile clients before a registry that is mostly what it should be, and the other way round. */
const grammars: Readonly<Record<Campaign, fc.Arbitrary<FuzzCase>>> = {
  clients: fuzzCase(
    anyConnection(anyRequest),
    2,
    fc.oneof({ weight: 6, arbitrary: properResponse }, { weight: 1, arbitrary: hostileResponse }),
  ),
  registries: fuzzCase(
    fc.oneof(
      { weight: 8, arbitrary: properConnection(properRequest(anyOperation)) },
      { weight: 1, arbitrary: anyConnection(anyRequest) },
    ),
    2,
    fc.oneof({ weight: 1, arbitrary: properResponse }, { weight: 5, arbitrary: hostileResponse }),
  ),
};

/** The case of a seed, which is the same each time. */
export function caseOf(campaign: Campaign, seed: number): FuzzCase {
  const [found] = fc.sample(grammars[campaign], { seed, numRuns: 1, unbiased: true });
  if (found === undefined) throw new Error("nothing was generated");
  return found;
}

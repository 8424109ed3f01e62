import type { RequestRecord } from "@registry-gate/core";

/** A request as a line of the log: of who asked, what rules and people know them by, and not their groups. */
export function requestLine({ principal, ...record }: RequestRecord): Readonly<Record<string, unknown>> {
  return {
    event: "request",
    ...record,
    ...(principal?.kind === "user" && { via: principal.via }),
    ...(principal?.grants !== undefined && { grants: principal.grants }),
  };
}

import { randomBytes } from "node:crypto";
import type { Visible } from "../authorize/authorize.ts";
import type { Principal } from "../authorize/principal.ts";
import type { Upstream } from "../forward/upstream.ts";
import type { Refusal } from "../route/refusal.ts";
import type { Page } from "../route/route.ts";
import { type CatalogPage, filteredCatalog } from "./filtered-catalog.ts";
import { catalogReader } from "./read-catalog.ts";
import { cursorSealer, isSealed } from "./sealed-cursor.ts";

/** The registry's catalog, as far as each caller may see it. */
export interface VisibleCatalog {
  /**
   * A page of what is visible, at the cost of at most ten requests to the registry.
   *
   * @throws {UpstreamFault} where the registry does not answer as it should.
   */
  page(
    asked: Page,
    visible: Visible | "everything",
    caller: Principal,
    signal: AbortSignal,
  ): Promise<CatalogPage | Unsealed>;
}

/** The place to go on from was not given to this caller, or not by this process. */
export interface Unsealed {
  readonly refusal: Refusal;
}

/** One key for the process: a listing goes on through a reload. */
const sealer = cursorSealer(randomBytes(32));

export function visibleCatalog(upstream: Upstream): VisibleCatalog {
  const reader = catalogReader(upstream);
  return {
    async page({ n, last }, visible, principal, signal) {
      const caller = callerOf(principal);
      const cursor = isSealed(last) ? sealer.open(last, caller) : last;
      if (isSealed(last) && cursor === undefined) return { refusal };
      const shown = visible === "everything" ? () => true : visible;
      return filteredCatalog({ n, last: cursor }, shown, reader.begin(signal), (next) => sealer.seal(next, caller));
    },
  };
}

const refusal: Refusal = {
  status: 400,
  code: "PAGINATION_NUMBER_INVALID",
  message: "the list cannot be continued from here: begin it anew",
};

function callerOf(principal: Principal): string {
  if (principal === "anonymous") return principal;
  const { backend, subject } = principal.identity;
  return JSON.stringify([backend, subject]);
}

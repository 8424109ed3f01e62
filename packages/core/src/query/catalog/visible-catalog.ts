import type { Principal } from "@registry-gate/auth";
import type { Visible } from "../../authorize/authorize.ts";
import type { Upstream } from "../../forward/upstream.ts";
import { notContinued } from "../../respond/listing-pages.ts";
import type { Refusal } from "../../route/refusal.ts";
import type { Page } from "../../route/route.ts";
import { isSealed, type Sealer } from "../../seal/sealer.ts";
import { type CatalogPlace, readPlace, writePlace } from "./catalog-place.ts";
import { type CatalogPage, filteredCatalog } from "./filtered-catalog.ts";
import { catalogReader } from "./read-catalog.ts";

/** The registry's catalog, filtered for each caller. */
export interface VisibleCatalog {
  /**
   * A page of the visible names, read by at most ten requests to the registry.
   *
   * @param clientKey The client in whose queue they wait.
   * @throws {UpstreamFault} where the registry does not respond as expected.
   */
  page(
    asked: Page,
    visible: Visible | "everything",
    caller: Principal,
    clientKey: string,
    signal: AbortSignal,
  ): Promise<CatalogPage | Unsealed>;
  /** Seals, for one caller, the query by which the registry named the next page. */
  sealPage(query: string, caller: Principal): string | undefined;
}

/** The position was not issued to this caller, or not by this process. */
export interface Unsealed {
  readonly refusal: Refusal;
}

export function visibleCatalog(upstream: Upstream, sealer: Sealer): VisibleCatalog {
  const reader = catalogReader(upstream);
  const seal = (place: CatalogPlace, caller: Principal): string | undefined =>
    sealer.seal(writePlace(place), contextOf(caller));

  function placeOf(last: string | undefined, caller: Principal): CatalogPlace | undefined {
    if (last === undefined) return {};
    if (!isSealed(last)) return { last };
    const text = sealer.open(last, contextOf(caller));
    return text === undefined ? undefined : readPlace(text);
  }

  return {
    async page({ n, last }, visible, caller, clientKey, signal) {
      const place = placeOf(last, caller);
      if (place === undefined) return { refusal: notContinued };
      const shown = visible === "everything" ? () => true : visible;
      return filteredCatalog(n, place, shown, reader.begin(clientKey, signal), (next) => seal(next, caller));
    },
    sealPage: (query, caller) => seal({ query }, caller),
  };
}

/** A position may contain a name that the caller must not see, so it is bound to the caller. */
function contextOf(caller: Principal): readonly string[] {
  if (caller.kind !== "user") return ["list-repositories", caller.kind];
  const { backend, subject } = caller.identity;
  return ["list-repositories", "user", backend, subject];
}

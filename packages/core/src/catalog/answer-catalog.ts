import { notFound, upstreamUnreachable } from "../answer/answers.ts";
import type { ErrorAnswer } from "../answer/error-answer.ts";
import type { Upstream } from "../forward/upstream.ts";
import type { Page } from "../route/route.ts";
import { type CatalogPage, filteredCatalog } from "./filtered-catalog.ts";
import { CatalogUnreadableError, catalogReader } from "./read-catalog.ts";

/** Either the page that the caller may see, or why there is none. */
export type CatalogAnswer =
  | { readonly page: CatalogPage; readonly failure?: undefined }
  | { readonly failure: ErrorAnswer; readonly error: Error };

/** Makes a page of the catalog for a caller who may not see all of it. Rejects only when `signal` aborts. */
export async function answerCatalog(
  upstream: Upstream,
  asked: Page,
  visible: (repository: string) => boolean,
  signal: AbortSignal,
): Promise<CatalogAnswer> {
  try {
    return { page: await filteredCatalog(asked, visible, catalogReader(upstream, signal)) };
  } catch (error) {
    if (signal.aborted || !(error instanceof Error)) throw error;
    // A registry may have no catalog, or have it switched off.
    const absent = error instanceof CatalogUnreadableError && error.status >= 400 && error.status < 500;
    return { failure: absent ? notFound : upstreamUnreachable, error };
  }
}

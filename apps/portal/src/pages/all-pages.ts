import { activity } from "./activity/routes.ts";
import { howTo } from "./how-to/routes.ts";
import type { PageModule } from "./page.ts";
import type { PageSources } from "./page-sources.ts";
import { repositories } from "./repositories/routes.ts";
import { tokens } from "./tokens/routes.ts";
import { why } from "./why/routes.ts";

/** The pages of the portal, in the order of the menu. */
export function allPages(sources: PageSources): readonly PageModule[] {
  return [repositories(), ...tokens(sources), ...activity(sources), why(sources), howTo(sources)];
}

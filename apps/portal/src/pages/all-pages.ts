import type { RegistryProxy } from "@registry-gate/core";
import { descriptions } from "../registry/describe.ts";
import { activity } from "./activity/routes.ts";
import { deletion } from "./deletion/routes.ts";
import { howTo } from "./how-to/routes.ts";
import type { PageModule } from "./page.ts";
import type { PageSources } from "./page-sources.ts";
import { repositories } from "./repositories/routes.ts";
import { visibleRepositories } from "./repositories/visible.ts";
import { repository } from "./repository/routes.ts";
import { tokens } from "./tokens/routes.ts";
import { why } from "./why/routes.ts";

/** The pages of the portal, in the order of the menu. */
export function allPages(registry: RegistryProxy, sources: PageSources): readonly PageModule[] {
  const visible = visibleRepositories(registry);
  sources.activity?.onPush((name) => visible.pushed(name));
  const artifacts = descriptions();
  return [
    ...[repositories(visible, sources.activity), repository(artifacts), deletion(artifacts)],
    ...[...tokens(sources), ...activity(sources), why(sources), howTo(sources)],
  ];
}

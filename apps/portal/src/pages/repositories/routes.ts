import type { Activity } from "../../activity/activity.ts";
import { pageOf } from "../../list-page.ts";
import { pageIn } from "../../view/pager.ts";
import { searchIn } from "../../view/search.ts";
import type { PageModule } from "../page.ts";
import { repositoriesView } from "./view.ts";
import type { VisibleRepositories } from "./visible.ts";

const repositoriesPerPage = 50;

/** The repositories that the user may pull. */
export function repositories(visible: VisibleRepositories, activity: Activity | undefined): PageModule {
  return {
    menu: { label: "Repositories", path: "/" },
    routes: [
      {
        method: "get",
        path: "/",
        async handle({ context, query }) {
          const { names, cut } = await visible.list(context.principal);
          const search = searchIn(query);
          const wanted = search.toLowerCase();
          const matching = wanted === "" ? names : names.filter((name) => name.includes(wanted));
          const { items, page, pages, from } = pageOf(matching, pageIn(query), repositoriesPerPage);
          const shown = items
            .map((name) => ({ name, permissions: context.registry.permissions(name) }))
            // The list is of a moment ago.
            .filter(({ permissions }) => permissions.pull);
          const pushed = await activity?.lastPushed(shown.map(({ name }) => name));
          const body = repositoriesView(context, {
            rows: shown.map((row) => ({ ...row, pushed: pushed?.get(row.name) })),
            ...{ search, total: matching.length, all: names.length, cut, page, pages, from },
          });
          return { kind: "page", title: "Repositories", body };
        },
      },
    ],
  };
}

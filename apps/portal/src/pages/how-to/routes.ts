import type { PageModule } from "../page.ts";
import type { PageSources } from "../page-sources.ts";
import { howToView } from "./view.ts";

/** How to set clients up for this host. */
export function howTo({ authority }: Pick<PageSources, "authority">): PageModule {
  return {
    menu: { label: "How to", path: "/how-to" },
    routes: [
      {
        method: "get",
        path: "/how-to",
        handle: ({ context }) => ({ kind: "page", title: "How to", body: howToView(context, authority) }),
      },
    ],
  };
}

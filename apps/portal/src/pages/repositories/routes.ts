import { z } from "@registry-gate/auth-kit";
import { PageError, type PageModule } from "../page.ts";
import { repositoriesView } from "./view.ts";

const catalogSchema = z.object({ repositories: z.array(z.string()) });

/** The repositories that the user may pull. */
export function repositories(): PageModule {
  return {
    menu: { label: "Repositories", path: "/" },
    routes: [
      {
        method: "get",
        path: "/",
        async handle({ context }) {
          const response = await context.registry.ask({ path: "/v2/_catalog?n=100" });
          if (response.status !== 200) throw new PageError(502, "The registry does not list its repositories now.");
          const { repositories: names } = catalogSchema.parse(JSON.parse(response.body.toString("utf8")));
          return { kind: "page", title: "Repositories", body: repositoriesView(context, names) };
        },
      },
    ],
  };
}

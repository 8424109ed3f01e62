import type { Descriptions } from "../../registry/describe.ts";
import { NotAllowedError } from "../../registry/reader.ts";
import { listReferrers } from "../../registry/referrers.ts";
import { readTagPage } from "../../registry/tag-page.ts";
import { pageIn } from "../../view/pager.ts";
import { searchIn } from "../../view/search.ts";
import { PageError, type PageModule, type PageRequest, type PageResult } from "../page.ts";
import { artifactView } from "./artifact-view.ts";
import { readReference, writeReference } from "./reference.ts";
import { repositoryView } from "./view.ts";

/** One repository with its tags, and each tag by itself. */
export function repository(descriptions: Descriptions): PageModule {
  async function tags({ context, query }: PageRequest, name: string): Promise<PageResult> {
    const search = searchIn(query);
    const found = await readTagPage(context.reader, descriptions, name, { search, page: pageIn(query) });
    const body = repositoryView(context, { name, search, permissions: context.registry.permissions(name), found });
    return { kind: "page", title: name, body };
  }

  async function artifact({ context }: PageRequest, name: string, reference: string): Promise<PageResult> {
    const described = await descriptions.describe(context.reader, name, reference);
    if (described === undefined) throw notThere;
    const referrers = await listReferrers(context.reader, name, described.digest);
    const permissions = context.registry.permissions(name);
    const body = artifactView(context, { name, reference, artifact: described, referrers, permissions });
    return { kind: "page", title: writeReference(name, reference), body };
  }

  return {
    routes: [
      {
        method: "get",
        path: "/r/*name",
        async handle(request) {
          const named = readReference(request.parameters.name ?? "");
          if (named === undefined) throw notThere;
          const { repository: name, reference } = named;
          try {
            return await (reference === undefined ? tags(request, name) : artifact(request, name, reference));
          } catch (error) {
            // Whether it exists is nothing that somebody learns who may not pull it.
            if (error instanceof NotAllowedError) throw notThere;
            throw error;
          }
        },
      },
    ],
  };
}

export const notThere: PageError = new PageError(404, "There is no such repository or tag, or you may not pull it.");

import { type Deletion, planDeletion, TooManyTagsError, tagDeletion } from "../../registry/deletion.ts";
import type { Descriptions } from "../../registry/describe.ts";
import { NotAllowedError } from "../../registry/reader.ts";
import { PageError, type PageModule, type PageRequest, type PageResult } from "../page.ts";
import { readReference } from "../repository/reference.ts";
import { notThere } from "../repository/routes.ts";
import { planText } from "./plan-text.ts";
import { deletionView } from "./view.ts";

/** Asks before something is deleted, and deletes exactly what it has said. */
export function deletion(descriptions: Descriptions): PageModule {
  const tags = tagDeletion();

  async function planned({ context, parameters }: PageRequest) {
    const { repository = "", reference } = readReference(parameters.name ?? "") ?? {};
    if (reference === undefined || !context.registry.permissions(repository).delete) throw notThere;
    try {
      const alone =
        !reference.includes(":") && (await tags.isSupported(repository, (target) => remove(context, target)));
      const plan = await planDeletion(context.reader, descriptions, repository, reference, alone);
      if (plan === undefined) throw notThere;
      return { repository, reference, plan };
    } catch (error) {
      if (error instanceof NotAllowedError) throw notThere;
      if (error instanceof TooManyTagsError) throw new PageError(409, `${capital(error.message)}: delete by a client.`);
      throw error;
    }
  }

  async function ask(request: PageRequest, changed: boolean): Promise<PageResult> {
    const { repository, reference, plan } = await planned(request);
    const body = deletionView(request.context, { repository, reference, plan, changed });
    return { kind: "page", title: "Delete", body, ...(changed && { status: 409 }) };
  }

  return {
    routes: [
      { method: "get", path: "/delete/*name", handle: (request) => ask(request, false) },
      {
        method: "post",
        path: "/delete/*name",
        async handle(request) {
          const { repository, reference, plan } = await planned(request);
          // Somebody has pushed meanwhile: what would go is not what was agreed to.
          if (request.form.get("plan") !== planText(plan)) return ask(request, true);
          const status = await remove(request.context, `${repository}/manifests/${plan.target}`);
          const to = `/r/${repository}`;
          if (status === 202)
            return { kind: "redirect", to, notice: { kind: "done", text: doneText(reference, plan) } };
          return { kind: "redirect", to, notice: { kind: "failed", text: failedText(status) } };
        },
      },
    ],
  };
}

function remove({ registry }: PageRequest["context"], target: string): Promise<number> {
  return registry.delete(`/v2/${target}`);
}

function doneText(reference: string, { keepsDigest, tags }: Deletion): string {
  if (keepsDigest) return `The tag ${reference} is deleted.`;
  return tags.length === 0
    ? "The digest is deleted."
    : `Deleted with its tags: ${new Intl.ListFormat("en-GB").format(tags)}.`;
}

function failedText(status: number): string {
  switch (status) {
    case 403:
      return "Nothing was deleted: the rules do not allow it. A tag may be immutable.";
    case 404:
      return "Nothing was deleted: it was already gone.";
    case 405:
      return "Nothing was deleted: this registry is set up not to delete.";
    case 503:
      return "Nothing was deleted: the registry is read-only at the moment. Try again later.";
    default:
      return `Nothing was deleted: the registry responded with ${status}.`;
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

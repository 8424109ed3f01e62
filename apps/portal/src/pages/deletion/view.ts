import type { Deletion } from "../../registry/deletion.ts";
import { formToken } from "../../view/forms.ts";
import { type Html, html } from "../../view/html.ts";
import type { PageContext } from "../page.ts";
import { writeReference } from "../repository/reference.ts";
import { planText } from "./plan-text.ts";

export interface DeletionPage {
  readonly repository: string;
  readonly reference: string;
  readonly plan: Deletion;
  /** Since the user was asked, something else has come to it. */
  readonly changed: boolean;
}

export function deletionView(context: PageContext, { repository, reference, plan, changed }: DeletionPage): Html {
  const { base } = context;
  const path = writeReference(repository, reference);
  const others = plan.tags.filter((tag) => tag !== reference);
  return html`<p class="trail"><a href="${base}/">Repositories</a> / <a href="${base}/r/${repository}">${repository}</a> / <a href="${base}/r/${path}">${reference}</a></p>
    <h1>Delete from ${repository}?</h1>
    ${changed && html`<p class="notice failed" role="alert">Nothing was deleted: it has changed since you were asked. Read again what would go.</p>`}
    ${
      plan.keepsDigest
        ? html`<p>The tag goes, and nothing else. Who pulls by the digest still can.</p>`
        : html`<p>This registry cannot delete a tag alone. <strong>The digest goes${plan.tags.length > 0 && ", and every tag that stands for it"}</strong>: nobody can pull it any more.</p>`
    }
    <dl class="facts">
      ${plan.tags.length > 0 && html`<div><dt>${plan.tags.length === 1 ? "Tag" : `${plan.tags.length} tags`} that will go</dt><dd><ul class="plain">${plan.tags.map((tag) => html`<li><code>${tag}</code></li>`)}</ul></dd></div>`}
      <div><dt>Digest${plan.keepsDigest ? " that stays" : " that will go"}</dt><dd><code>${plan.digest}</code></dd></div>
    </dl>
    ${others.length > 0 && html`<p>${others.length === 1 ? "One of these tags is" : `${others.length} of these tags are`} not the one that you came from.</p>`}
    <form method="post" action="${base}/delete/${path}" class="actions">
      ${formToken(context)}
      <input type="hidden" name="plan" value="${planText(plan)}">
      <button class="danger">${plan.keepsDigest ? "Delete the tag" : `Delete ${plan.tags.length > 1 ? `${plan.tags.length === 2 ? "both" : `all ${plan.tags.length}`} tags and the digest` : "it"}`}</button>
      <a class="button quiet" href="${base}/r/${path}">Keep it</a>
    </form>`;
}

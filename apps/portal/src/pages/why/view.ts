import type { Action, Identity } from "@registry-gate/auth";
import type { RuleVerdict } from "@registry-gate/core";
import { type Html, html } from "../../view/html.ts";
import type { PageContext } from "../page.ts";

export interface Question {
  readonly user: string;
  readonly repository: string;
  readonly action: Action;
}

export type Answer =
  | { readonly kind: "fault"; readonly text: string }
  | {
      readonly kind: "answer";
      readonly allowed: boolean;
      readonly verdicts: readonly RuleVerdict[];
      readonly identity: Identity;
      readonly notes: readonly string[];
    };

export function whyView(
  { base, isAdmin, identity }: PageContext,
  question: Question,
  answer: Answer | undefined,
): Html {
  return html`<h1>Why?</h1>
    <p>Which rule allows something, or why none does.</p>
    <form class="why" method="get" action="${base}/why">
      ${
        isAdmin
          ? html`<label class="field">User <input name="user" value="${question.user}" autocapitalize="none" spellcheck="false"></label>`
          : html`<p>User: <strong>${identity.username}</strong></p>`
      }
      <label class="field">Action <select name="action">${["pull", "push", "delete"].map(
        (action) => html`<option${action === question.action && html` selected`}>${action}</option>`,
      )}</select></label>
      <label class="field">Repository <input name="repository" value="${question.repository}" placeholder="team/app" required autocapitalize="none" spellcheck="false"></label>
      <button>Explain</button>
    </form>
    ${answer && answerView(question, answer)}`;
}

const verbs: Readonly<Record<Action, string>> = {
  pull: "pull from",
  push: "push to",
  delete: "delete in",
  "*": "do everything in",
};

function answerView({ user, action, repository }: Question, answer: Answer): Html {
  if (answer.kind === "fault") return html`<p class="notice failed" role="alert">${answer.text}</p>`;
  const { allowed, verdicts, identity, notes } = answer;
  const reasons = verdicts.map(({ rule, reason }) =>
    rule === undefined
      ? html`<li>${reason}</li>`
      : html`<li>Rule ${rule + 1} (<code>access[${rule}]</code>): ${reason}</li>`,
  );
  return html`<section class="answer" aria-live="polite">
      <h2>${user} may ${allowed ? "" : html`<strong>not</strong> `}${verbs[action]} ${repository}</h2>
      ${reasons.length === 0 ? html`<p>No rule allows it.</p>` : html`<ul>${reasons}</ul>`}
      <p>Groups of ${user}: ${identity.groups.length === 0 ? "none" : identity.groups.join(", ")}</p>
      ${notes.map((note) => html`<p>${note}</p>`)}
    </section>`;
}

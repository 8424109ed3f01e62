import type { Action, UserPrincipal } from "@registry-gate/auth";
import { type AccessRule, compilePolicy, decidingVerdicts, isRepository } from "@registry-gate/core";
import type { PageContext, PageModule } from "../page.ts";
import type { PageSources } from "../page-sources.ts";
import { type Answer, type Question, whyView } from "./view.ts";

const actions: readonly Action[] = ["pull", "push", "delete"];

/** Which rule allows somebody something, or why none does: for oneself, and for administrators for anybody. */
export function why({ access, findUser }: Pick<PageSources, "access" | "findUser">): PageModule {
  const policy = compilePolicy(access);
  const rules: readonly AccessRule[] = access ?? [];

  async function answer(context: PageContext, question: Question, signal: AbortSignal): Promise<Answer> {
    const { user, repository, action } = question;
    if (!isRepository(repository)) return { kind: "fault", text: `${repository} is not the name of a repository.` };
    const own = user === context.identity.username;
    if (!own && !context.isAdmin) return { kind: "fault", text: "You can ask this about yourself." };
    const found = own ? { identity: context.identity, notes: [] } : await findUser?.(user, signal);
    if (found === undefined) return { kind: "fault", text: "Nobody but yourself can be looked up here." };
    const { identity, notes } = found;
    if (identity === undefined) return { kind: "fault", text: [`Nobody knows ${user}.`, ...notes].join(" ") };
    const principal: UserPrincipal = { kind: "user", identity, via: "basic" };
    const verdicts = policy.explain(principal, { type: "repository", name: repository, action });
    return {
      kind: "answer",
      allowed: verdicts.some(({ allows }) => allows) && !verdicts.some(({ denies }) => denies),
      verdicts: decidingVerdicts(verdicts, rules),
      ...{ identity, notes },
    };
  }

  return {
    menu: { label: "Why?", path: "/why" },
    routes: [
      {
        method: "get",
        path: "/why",
        async handle({ context, query, signal }) {
          const { username } = context.identity;
          const given = query.get("user")?.trim();
          const question: Question = {
            user: given === undefined || given === "" ? username : given.normalize("NFC"),
            repository: query.get("repository")?.trim() ?? "",
            action: actions.find((action) => action === query.get("action")) ?? "pull",
          };
          const asked = question.repository === "" ? undefined : await answer(context, question, signal);
          return { kind: "page", title: "Why?", body: whyView(context, question, asked) };
        },
      },
    ],
  };
}

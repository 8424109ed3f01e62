import { isIP } from "node:net";
import { PageError, type PageModule, type PageRoute } from "../page.ts";
import type { PageSources } from "../page-sources.ts";
import { throttledLogins } from "./throttled-logins.ts";
import { activityView, everybodyView } from "./view.ts";

type Sources = Pick<PageSources, "activity" | "status" | "release">;

/** The user's own pushes and pulls, and, for administrators, those of all, with how the gate is. */
export function activity({ activity: kept, status, release }: Sources): readonly PageModule[] {
  if (kept === undefined) return [];
  const own: PageRoute = {
    method: "get",
    path: "/activity",
    async handle({ context }) {
      const log = await kept.of(context.identity.username);
      return { kind: "page", title: "Activity", body: activityView(context, log) };
    },
  };
  const all: PageRoute = {
    method: "get",
    path: "/everybody",
    adminsOnly: true,
    async handle({ context }) {
      const [log, now] = await Promise.all([kept.ofAll(), status?.()]);
      const throttled = release === undefined ? [] : throttledLogins(log, Date.now());
      return { kind: "page", title: "Everybody", body: everybodyView(context, log, now, throttled) };
    },
  };
  const releasing: readonly PageRoute[] =
    release === undefined
      ? []
      : [
          {
            method: "post",
            path: "/everybody/release",
            adminsOnly: true,
            async handle({ form }) {
              const address = form.get("address") ?? "";
              if (address !== "" && isIP(address) === 0) throw new PageError(400, "That is no address.");
              const username = form.get("username") ?? "";
              await release({
                client: address === "" ? undefined : address,
                username: username === "" ? undefined : username,
              });
              const text = `Logins from ${address === "" ? "the socket" : address} are judged again.`;
              return { kind: "redirect", to: "/everybody", notice: { kind: "done", text } };
            },
          },
        ];
  return [
    { menu: { label: "Activity", path: "/activity" }, routes: [own] },
    { menu: { label: "Everybody", path: "/everybody", adminsOnly: true }, routes: [all, ...releasing] },
  ];
}

import type { ActivityEvent, ActivityLog } from "../../activity/activity-record.ts";
import type { PortalStatus } from "../../activity/status.ts";
import { formToken } from "../../view/forms.ts";
import { type Html, html } from "../../view/html.ts";
import { longName, shortDigest } from "../../view/names.ts";
import { type Column, table } from "../../view/table.ts";
import { timeView } from "../../view/time.ts";
import type { PageContext } from "../page.ts";
import type { ThrottledLogin } from "./throttled-logins.ts";
import { weeksOf } from "./weeks.ts";

const kinds: Readonly<Record<ActivityEvent["kind"], string>> = {
  push: "pushed",
  pull: "pulled",
  delete: "deleted",
  denied: "was refused",
  "login-failed": "failed to log in",
  throttled: "was kept out",
};

export function activityView(_context: PageContext, log: ActivityLog): Html {
  return html`<h1>Activity</h1>
    ${chartView(log)}
    <h2>Lately</h2>
    ${eventsView(log.events, false)}`;
}

export function everybodyView(
  context: PageContext,
  log: ActivityLog,
  status: PortalStatus | undefined,
  throttled: readonly ThrottledLogin[],
): Html {
  return html`<h1>Everybody</h1>
    ${status && statusView(status)}
    ${throttledView(context, throttled)}
    ${chartView(log)}
    <h2>Lately</h2>
    ${eventsView(log.events, true)}`;
}

function statusView({ parts, certificateUntil }: PortalStatus): Html {
  return html`<h2>What the registry depends on</h2>
    ${table(
      [{ heading: "Part" }, { heading: "State" }, { heading: "Found", label: true }],
      parts.map(({ name, state, reason, since }) => [
        name,
        html`<span class="state ${state}">${state}</span>${reason && html`: ${reason}`}`,
        since && timeView(since),
      ]),
    )}
    ${certificateUntil && html`<p>The certificate expires ${timeView(certificateUntil)}.</p>`}`;
}

function throttledView(context: PageContext, throttled: readonly ThrottledLogin[]): Html {
  return html`<h2>Kept out</h2>
    ${
      throttled.length === 0
        ? html`<p class="empty">Nobody was kept out in the last quarter of an hour.</p>`
        : table(
            [
              { heading: "Address" },
              { heading: "Name" },
              { heading: "Times", label: true },
              { heading: "Last", label: true },
              { heading: "To release", hidden: true, kind: "action" },
            ],
            throttled.map(({ address, username, time, count }) => [
              address ?? "the socket",
              username === undefined ? "a token" : longName(username),
              count,
              timeView(time),
              html`<form method="post" action="${context.base}/everybody/release">${formToken(context)}
        <input type="hidden" name="address" value="${address}"><input type="hidden" name="username" value="${username}">
        <button class="quiet">Release<span class="hidden"> ${username ?? "a token"} from ${address ?? "the socket"}</span></button></form>`,
            ]),
          )
    }`;
}

function chartView(log: ActivityLog): Html {
  const weeks = weeksOf(log, Date.now());
  const most = Math.max(1, ...weeks.map(({ pushes, pulls }) => pushes + pulls));
  const key = (name: string): Html =>
    html`<svg class="key" aria-hidden="true"><rect class="${name}" width="100%" height="100%"></rect></svg>${name}`;
  return html`<h2>By week</h2>
    <p class="muted">${key("pushes")}${key("pulls")}</p>
    ${table(
      [
        { heading: "Week of" },
        { heading: "Pushes", kind: "figure", label: true },
        { heading: "Pulls", kind: "figure", label: true },
        { heading: "Together", hidden: true, kind: "chart" },
      ],
      weeks.map(({ monday, pushes, pulls }) => [html`<time>${monday}</time>`, pushes, pulls, bar(pushes, pulls, most)]),
    )}`;
}

/** Of a chart: what the two figures before it say, drawn. */
function bar(pushes: number, pulls: number, most: number): Html {
  const share = (count: number): string => ((count / most) * 100).toFixed(2);
  return html`<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      <rect class="pushes" width="${share(pushes)}" height="1"></rect>
      <rect class="pulls" x="${share(pushes)}" width="${share(pulls)}" height="1"></rect>
    </svg>`;
}

function eventsView(events: readonly ActivityEvent[], withNames: boolean): Html {
  if (events.length === 0) return html`<p class="empty">Nothing yet.</p>`;
  const columns: readonly Column[] = [
    { heading: "When" },
    ...(withNames ? [{ heading: "Who" }] : []),
    { heading: "What" },
    { heading: "Where" },
    { heading: "From", label: true },
    { heading: "With", label: true },
  ];
  return table(
    columns,
    events.map(({ time, kind, username, repository, reference, address, agent }) => [
      timeView(time),
      ...(withNames ? [longName(username ?? "somebody")] : []),
      kinds[kind],
      repository &&
        html`${longName(repository)}${reference && html`<span class="detail">${referenceView(reference)}</span>`}`,
      address,
      agent && agentView(agent),
    ]),
  );
}

/** The first product names the client; the rest is there to hover and to read aloud. */
function agentView(agent: string): Html {
  const [product = agent] = agent.split(" ", 1);
  return html`<span title="${agent}">${longName(product)}</span>`;
}

function referenceView(reference: string): Html {
  return reference.includes(":") ? shortDigest(reference) : longName(reference);
}

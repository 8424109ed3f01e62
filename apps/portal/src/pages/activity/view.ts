import type { ActivityEvent, ActivityLog } from "../../activity/activity-record.ts";
import type { PortalStatus } from "../../activity/status.ts";
import { formToken } from "../../view/forms.ts";
import { type Html, html } from "../../view/html.ts";
import { timeView } from "../../view/times.ts";
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
  const rows = parts.map(
    ({ name, state, reason, since }) =>
      html`<tr><th scope="row">${name}</th><td><span class="state ${state}">${state}</span>${reason && html`: ${reason}`}</td><td>${since && timeView(since)}</td></tr>`,
  );
  return html`<h2>What the registry depends on</h2>
    <table>
      <thead><tr><th>Part</th><th>State</th><th>Found</th></tr></thead>
      <tbody>${rows}</tbody>
    </table>
    ${certificateUntil && html`<p>The certificate expires ${timeView(certificateUntil)}.</p>`}`;
}

function throttledView(context: PageContext, throttled: readonly ThrottledLogin[]): Html {
  const rows = throttled.map(
    ({ address, username, time, count }) => html`<tr>
      <th scope="row">${address ?? "the socket"}</th><td>${username ?? "a token"}</td><td>${count}</td><td>${timeView(time)}</td>
      <td><form method="post" action="${context.base}/everybody/release">${formToken(context)}
        <input type="hidden" name="address" value="${address}"><input type="hidden" name="username" value="${username}">
        <button>Release</button></form></td>
    </tr>`,
  );
  return html`<h2>Kept out</h2>
    ${
      throttled.length === 0
        ? html`<p class="empty">Nobody was kept out in the last quarter of an hour.</p>`
        : html`<table>
      <thead><tr><th>Address</th><th>Name</th><th>Times</th><th>Last</th><td></td></tr></thead>
      <tbody>${rows}</tbody>
    </table>`
    }`;
}

function chartView(log: ActivityLog): Html {
  const weeks = weeksOf(log, Date.now());
  const most = Math.max(1, ...weeks.map(({ pushes, pulls }) => pushes + pulls));
  const rows = weeks.map(
    ({ monday, pushes, pulls }) => html`<tr>
      <th scope="row">${monday}</th>
      <td>${pushes}</td><td>${pulls}</td>
      <td><meter min="0" max="${most}" value="${pushes + pulls}">${pushes + pulls}</meter></td>
    </tr>`,
  );
  return html`<h2>By week</h2>
    <table class="chart">
      <thead><tr><th>Week of</th><th>Pushes</th><th>Pulls</th><td></td></tr></thead>
      <tbody>${rows}</tbody>
    </table>`;
}

function eventsView(events: readonly ActivityEvent[], withNames: boolean): Html {
  if (events.length === 0) return html`<p class="empty">Nothing yet.</p>`;
  const rows = events.map(
    ({ time, kind, username, repository, reference, address, agent }) => html`<tr>
      <td>${timeView(time)}</td>
      ${withNames && html`<td>${username ?? "somebody"}</td>`}
      <td>${kinds[kind]}</td>
      <td>${repository}${reference && html` <span class="reference">${reference}</span>`}</td>
      <td>${address}</td>
      <td>${agent}</td>
    </tr>`,
  );
  return html`<table>
      <thead><tr><th>When</th>${withNames && html`<th>Who</th>`}<th>What</th><th>Where</th><th>From</th><th>With</th></tr></thead>
      <tbody>${rows}</tbody>
    </table>`;
}

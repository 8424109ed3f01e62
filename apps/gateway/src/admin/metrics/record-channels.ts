import type { HashQueue } from "@registry-gate/auth-htpasswd";
import { type FileReload, fileReload, type QueueEvent, subscribeByName } from "@registry-gate/auth-kit";
import type { LdapConnection, LdapOperation, LdapQueue } from "@registry-gate/auth-ldap";
import {
  limitReached,
  loginCache,
  loginJudged,
  loginThrottled,
  upstreamCache,
  upstreamConnection,
  upstreamQueue,
} from "@registry-gate/core";
import { auditFailure, auditWritten } from "../../observe/audit-failure.ts";
import { connectionLimit, handshakeFailed, requestUnreadable } from "../../observe/connections.ts";
import { eventDelivery } from "../../observe/events.ts";
import { certificateReload, configurationReload } from "../../observe/reloads.ts";
import type { MetricStore, Value } from "./metric-store.ts";
import * as metrics from "./metrics.ts";

/**
 * Measures what the packages publish on their channels.
 *
 * @returns a function that ends that.
 */
export function recordChannels(store: MetricStore): () => void {
  const hits = store.value(metrics.loginCache, "hit");
  const cached = store.value(metrics.loginCacheEntries);
  const contentHits = store.value(metrics.contentCache, "hit");
  const contentEntries = store.value(metrics.contentCacheEntries);
  const contentBytes = store.value(metrics.contentCacheBytes);
  const lastSuccessful = store.value(metrics.lastReloadSuccessful);
  const lastTime = store.value(metrics.lastReloadTime);
  lastSuccessful.value = 1;
  lastTime.value = Date.now() / 1000;
  showZeros(store);

  const queued = (queue: string, backend: string, message: QueueEvent): void => {
    store.value(metrics.queueWaiting, queue, backend).value = message.waiting;
    if (message.event === "granted") {
      store.distribution(metrics.queueWait, queue, backend).observe(message.milliseconds / 1000);
    } else if (message.event === "refused") store.value(metrics.queueRefused, queue, backend, message.reason).value++;
  };

  const subscriptions = [
    loginCache.subscribe(({ event, entries }) => {
      if (event === "hit") hits.value++;
      else store.value(metrics.loginCache, event).value++;
      cached.value = entries;
    }),
    loginThrottled.subscribe(({ limit }) => {
      store.value(metrics.throttled, limit).value++;
    }),
    loginJudged.subscribe(({ backend, outcome, milliseconds }) => {
      store.value(metrics.logins, backend, outcome).value++;
      store.distribution(metrics.loginDuration, backend).observe(milliseconds / 1000);
    }),
    limitReached.subscribe(({ limit }) => {
      store.value(metrics.limits, limit).value++;
    }),
    connectionLimit.subscribe(({ refused, evicted }) => {
      store.value(metrics.limits, "connectionsPerAddress").value += refused;
      store.value(metrics.limits, "maxConnections").value += evicted;
    }),
    handshakeFailed.subscribe(() => {
      store.value(metrics.handshakeFailures).value++;
    }),
    requestUnreadable.subscribe(() => {
      store.value(metrics.unreadable).value++;
    }),
    upstreamQueue.subscribe((message) => {
      queued(message.queue === "urgent" ? "upstream-urgent" : "upstream", "", message);
    }),
    // A backend is loaded where a configuration names it.
    subscribeByName<HashQueue>("registry-gate:hash:queue", (message) => queued("hash", message.backend, message)),
    subscribeByName<LdapQueue>("registry-gate:ldap:queue", (message) => {
      queued(`ldap-${message.pool}`, message.backend, message);
    }),
    upstreamCache.subscribe(({ event, entries, bytes }) => {
      if (event === "hit") contentHits.value++;
      else if (event !== "changed") store.value(metrics.contentCache, event).value++;
      contentEntries.value = entries;
      contentBytes.value = bytes;
    }),
    upstreamConnection.subscribe(({ event, milliseconds }) => {
      store.value(metrics.upstreamConnections, event).value++;
      if (event === "failed") return;
      step(store.value(metrics.upstreamConnectionsOpen), event === "opened");
      if (event === "opened") store.distribution(metrics.upstreamConnect).observe(milliseconds / 1000);
    }),
    subscribeByName<LdapConnection>("registry-gate:ldap:connection", ({ backend, event }) => {
      store.value(metrics.ldapConnections, backend, event).value++;
      if (event !== "failed") step(store.value(metrics.ldapConnectionsOpen, backend), event === "opened");
    }),
    subscribeByName<LdapOperation>("registry-gate:ldap:operation", ({ backend, operation, outcome, milliseconds }) => {
      store.value(metrics.ldapOperations, backend, operation, outcome).value++;
      store.distribution(metrics.ldapOperationDuration, backend, operation).observe(milliseconds / 1000);
    }),
    fileReload.subscribe(({ outcome }: FileReload) => {
      store.value(metrics.reloads, "file", outcome).value++;
    }),
    certificateReload.subscribe(({ outcome }) => {
      store.value(metrics.reloads, "certificate", outcome).value++;
    }),
    configurationReload.subscribe(({ outcome }) => {
      store.value(metrics.reloads, "configuration", outcome).value++;
      lastSuccessful.value = outcome === "reloaded" ? 1 : 0;
      if (outcome === "reloaded") lastTime.value = Date.now() / 1000;
    }),
    auditWritten.subscribe(({ count }) => {
      store.value(metrics.auditEvents, "written").value += count;
    }),
    auditFailure.subscribe(({ state, count }) => {
      store.value(metrics.auditEvents, "lost").value += count;
      if (state === "failing") store.value(metrics.auditFailures).value++;
      if (state !== "lost") store.value(metrics.auditFailing).value = state === "failing" ? 1 : 0;
    }),
    eventDelivery.subscribe(({ outcome, count }) => {
      store.value(metrics.notifications, outcome).value += count;
    }),
  ];
  return () => {
    for (const end of subscriptions) end();
  };
}

/** What has not happened yet is shown as 0 where that can be known: a query for its rate then has a result. */
function showZeros(store: MetricStore): void {
  const limits = ["inFlight", "inFlightPerClient", "minRate", "connectionsPerAddress", "maxConnections"];
  for (const limit of limits) store.value(metrics.limits, limit);
  for (const limit of ["user", "token", "address"]) store.value(metrics.throttled, limit);
  for (const result of ["hit", "miss", "shared"]) store.value(metrics.loginCache, result);
  for (const result of ["hit", "revalidated", "joined", "miss"]) store.value(metrics.contentCache, result);
  for (const event of ["opened", "failed", "closed"]) store.value(metrics.upstreamConnections, event);
  for (const subject of ["configuration", "certificate"]) {
    for (const outcome of ["reloaded", "refused"]) store.value(metrics.reloads, subject, outcome);
  }
  for (const outcome of ["written", "lost"]) store.value(metrics.auditEvents, outcome);
  store.value(metrics.auditFailures);
  store.value(metrics.auditFailing);
  for (const outcome of ["queued", "delivered", "failed", "given-up", "dropped", "lost"]) {
    store.value(metrics.notifications, outcome);
  }
  store.value(metrics.upstreamConnectionsOpen);
  store.value(metrics.handshakeFailures);
  store.value(metrics.unreadable);
}

/** Connections may be older than the measurement. */
function step(open: Value, up: boolean): void {
  open.value = Math.max(0, open.value + (up ? 1 : -1));
}

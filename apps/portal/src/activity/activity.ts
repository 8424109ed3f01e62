import { createHash } from "node:crypto";
import type { Logger } from "@registry-gate/auth";
import type { RequestRecord } from "@registry-gate/core";
import type { PortalState } from "../sessions/portal-state.ts";
import { type ActivityEvent, type ActivityLog, emptyLog, eventOf, parseLog } from "./activity-record.ts";

/** Who did what lately: for pages, and no audit. What a process has not written yet when it is killed is lost. */
export interface Activity {
  /** For the option `onFinished` of `registryProxy`. It waits for nothing. */
  finished(record: RequestRecord): void;
  /** A login at the portal that failed, or was not judged because too many have. */
  signInFailed(attempt: FailedSignIn): void;
  /** The activity of a user, in all processes that share the state. */
  of(username: string): Promise<ActivityLog>;
  /** That of everybody. */
  ofAll(): Promise<ActivityLog>;
  /**
   * When each of these repositories was pushed to last, in milliseconds since the epoch, by any process that shares the
   * state; without those that nobody has pushed to in the last year.
   */
  lastPushed(repositories: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Tells of each push that this process has passed on. */
  onPush(listener: (repository: string) => void): void;
  /** Writes what is still to be written. */
  close(): Promise<void>;
}

export interface FailedSignIn {
  readonly requestId: string;
  /** `undefined` where it is not to be kept. */
  readonly username: string | undefined;
  readonly address: string | undefined;
  readonly throttled: boolean;
}

/** Options of {@link openActivity}. */
export interface ActivityOptions {
  readonly state: PortalState;
  /** Takes a warning where the state cannot be written. */
  readonly log?: Logger;
}

interface Pending {
  readonly events: ActivityEvent[];
  readonly counts: Map<string, [pushes: number, pulls: number]>;
}

/** How often what has happened is written, in milliseconds. */
const writeInterval = 1000;
/** How many events are kept of a user, and of all. */
const mostEvents = 100;
/** Below what the state takes as one value, in UTF-8. */
const longestLog = 60_000;
const keptDays = 56;
/** For how long the activity of somebody who does nothing is kept, in milliseconds. */
const lifetime = 60 * 86_400_000;
/** For how long it is known when a repository was pushed to last, in milliseconds. */
const pushLifetime = 400 * 86_400_000;
/** How many users' activity waits to be written at once. */
const mostPending = 2000;
const mostAttempts = 20;

const everybody = "portal/activity/all";

/**
 * Keeps the latest events and the counts of days in the state store: at most {@link mostEvents} a user, and as many of all
 * together, so that the store does not grow with the traffic.
 */
export function openActivity({ state, log }: ActivityOptions): Activity {
  let pending = new Map<string, Pending>();
  let pushes = new Map<string, number>();
  const listeners: ((repository: string) => void)[] = [];
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  function add(key: string, event: ActivityEvent): void {
    const waiting: Pending = pending.get(key) ?? { events: [], counts: new Map() };
    if (!pending.has(key) && pending.size >= mostPending) return;
    pending.set(key, waiting);
    waiting.events.push(event);
    if (waiting.events.length > mostEvents) waiting.events.shift();
    if (event.kind !== "push" && event.kind !== "pull") return;
    const day = new Date(event.time).toISOString().slice(0, 10);
    const [pushes, pulls] = waiting.counts.get(day) ?? [0, 0];
    waiting.counts.set(day, event.kind === "push" ? [pushes + 1, pulls] : [pushes, pulls + 1]);
  }

  /** @param known Whether the name is that of somebody who has signed in: others can name anybody. */
  function note(event: ActivityEvent, known: boolean): void {
    add(everybody, event);
    if (known && event.username !== undefined) add(keyOf(event.username), event);
    if (event.kind === "push" && event.repository !== undefined) notePush(event.repository, event.time);
    timer ??= setTimeout(() => void write(), writeInterval).unref();
  }

  function notePush(repository: string, time: number): void {
    if (pushes.size < mostPending || pushes.has(repository)) pushes.set(repository, time);
    for (const listener of listeners) listener(repository);
  }

  function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const batch = pending;
    pending = new Map();
    const pushed = pushes;
    pushes = new Map();
    writing = writing.then(async () => {
      try {
        for (const [key, waiting] of batch) await merge(key, waiting);
        for (const [repository, time] of pushed) await keepPush(repository, time);
      } catch (error) {
        log?.warn({ err: error }, "the activity of the last moments cannot be written, and is lost");
      }
    });
    return writing;
  }

  async function merge(key: string, waiting: Pending): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const before = await state.get(key);
      const text = JSON.stringify(merged(before === undefined ? emptyLog : parseLog(before), waiting));
      const written =
        before === undefined ? await state.add(key, text, lifetime) : await state.replace(key, before, text, lifetime);
      if (written) return;
    }
    log?.warn({}, "the activity of the last moments cannot be written among that of others, and is lost");
  }

  /** Of two processes that write at once, either will do: both pushes are of this moment. */
  async function keepPush(repository: string, time: number): Promise<void> {
    const key = pushKeyOf(repository);
    const before = await state.get(key);
    if (before === undefined) await state.add(key, String(time), pushLifetime);
    else await state.replace(key, before, String(time), pushLifetime);
  }

  async function lastPush(repository: string): Promise<readonly [string, number] | undefined> {
    const time = Number(await state.get(pushKeyOf(repository)));
    return Number.isSafeInteger(time) && time > 0 ? [repository, time] : undefined;
  }

  async function read(key: string): Promise<ActivityLog> {
    // Somebody who looks expects what they have just done.
    await write();
    const text = await state.get(key);
    return text === undefined ? emptyLog : parseLog(text);
  }

  return {
    finished(record) {
      const event = eventOf(record, Date.now());
      if (event !== undefined) note(event, record.username !== undefined);
    },
    signInFailed({ requestId, username, address, throttled }) {
      const event: ActivityEvent = {
        ...{ id: requestId, time: Date.now(), kind: throttled ? "throttled" : "login-failed" },
        ...(username !== undefined && { username: username.slice(0, 128).toWellFormed() }),
        ...(address !== undefined && { address }),
      };
      note(event, false);
    },
    of: (username) => read(keyOf(username)),
    ofAll: () => read(everybody),
    async lastPushed(repositories) {
      await write();
      const found = await Promise.all(repositories.map(lastPush));
      return new Map(found.filter((entry) => entry !== undefined));
    },
    onPush: (listener) => void listeners.push(listener),
    close: () => write(),
  };
}

function merged({ events, days }: ActivityLog, waiting: Pending): ActivityLog {
  const counts: Record<string, readonly [number, number]> = { ...days };
  for (const [day, [pushes, pulls]] of waiting.counts) {
    const [before, pulledBefore] = counts[day] ?? [0, 0];
    counts[day] = [before + pushes, pulledBefore + pulls];
  }
  for (const day of Object.keys(counts).sort().slice(0, -keptDays)) delete counts[day];
  const kept = [...waiting.events.toReversed(), ...events]
    .sort((one, other) => other.time - one.time)
    .slice(0, mostEvents);
  const log: ActivityLog = { days: counts, events: kept };
  while (kept.length > 0 && Buffer.byteLength(JSON.stringify(log)) > longestLog) kept.pop();
  return log;
}

function pushKeyOf(repository: string): string {
  return `portal/pushed/${createHash("sha256").update(repository).digest("base64url")}`;
}

/** Rules know users by their names, and so does this. */
function keyOf(username: string): string {
  return `portal/activity/of/${createHash("sha256").update(username.normalize("NFC")).digest("base64url")}`;
}

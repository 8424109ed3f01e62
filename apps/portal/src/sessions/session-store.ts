import { createHash } from "node:crypto";
import { type SessionData, Store } from "express-session";
import type { Logins } from "./logins.ts";
import type { PortalState } from "./portal-state.ts";
import { type KeptSession, parseSession, type SignedIn } from "./session-data.ts";

/** How long sessions last, in milliseconds. */
export interface SessionTimes {
  /** Without a request. */
  readonly idle: number;
  /** Whatever happens. */
  readonly lifetime: number;
}

/**
 * Keeps the sessions of express-session in a state store. The store knows a session by the SHA-256 of its id, so that nobody
 * who reads the store gets into one. Sessions without a user are not kept.
 */
export class StateSessionStore extends Store {
  readonly #state: PortalState;
  readonly #logins: Logins;
  readonly #times: SessionTimes;

  constructor(state: PortalState, logins: Logins, times: SessionTimes) {
    super();
    this.#state = state;
    this.#logins = logins;
    this.#times = times;
  }

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    settle<SessionData | null | undefined>(this.#find(id), callback);
  }

  override set(id: string, session: SessionData, callback: (error?: unknown) => void = () => {}): void {
    settle(this.#write(id, session), callback);
  }

  override destroy(id: string, callback: (error?: unknown) => void = () => {}): void {
    settle(this.#state.delete(keyOf(id)), (error) => callback(error));
  }

  /** A request has come: the session is not idle. One that was deleted meanwhile stays so. */
  override touch(id: string, session: SessionData, callback: (error?: unknown) => void = () => {}): void {
    const { user } = session;
    const left = user === undefined ? 0 : this.#left(user);
    if (left <= 0) callback();
    else settle(this.#state.extend(keyOf(id), left), (error) => callback(error));
  }

  async #find(id: string): Promise<SessionData | undefined> {
    const text = await this.#state.get(keyOf(id));
    const kept = text === undefined ? undefined : parseSession(text);
    if (kept === undefined) return undefined;
    const { user } = kept;
    if (this.#left(user) <= 0 || !(await this.#logins.isCurrent(user, user.login))) {
      await this.#state.delete(keyOf(id));
      return undefined;
    }
    return { ...kept, cookie: { originalMaxAge: null } };
  }

  async #write(id: string, { user, formToken, notice }: SessionData): Promise<void> {
    if (user === undefined || formToken === undefined) return;
    const left = this.#left(user);
    if (left <= 0) return;
    const kept: KeptSession = { user, formToken, ...(notice !== undefined && { notice }) };
    await this.#state.set(keyOf(id), JSON.stringify(kept), left);
  }

  /** For how long a session is kept from now on. */
  #left({ since, until = Number.POSITIVE_INFINITY }: SignedIn): number {
    return Math.min(this.#times.idle, Math.min(since + this.#times.lifetime, until) - Date.now());
  }
}

function keyOf(id: string): string {
  return `portal/session/${createHash("sha256").update(id).digest("base64url")}`;
}

/** express-session waits for a callback, whose own errors are not those of the work. */
function settle<T>(work: Promise<T>, callback: (error: unknown, result?: T) => void): void {
  work.then(
    (result) => process.nextTick(() => callback(null, result)),
    (error: unknown) => process.nextTick(() => callback(error)),
  );
}

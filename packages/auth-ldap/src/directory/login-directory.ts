import { LOGIN } from "../bounds.ts";
import { invalidContent } from "../directory-error.ts";
import type { SearchQuery } from "../protocol/requests.ts";
import type { SearchResult, Session } from "../protocol/session.ts";
import type { Directory } from "./directory.ts";

/** The directory as a login uses it. */
export type LoginDirectory = Pick<Directory, "read" | "asUser">;

/** Bounds what one login may cost the directory and the gate. */
export interface LoginBudget {
  /** The same connection, on which searches count, and fail with `content` where there have been too many. */
  over(session: Session): Session;
}

/** @param timeout For one operation, in milliseconds. */
export function createLoginBudget(timeout: number): LoginBudget {
  const longest = LOGIN.timeouts * timeout;
  let searches = 0;
  let bytes = 0;
  /** Without the time for which a login waits for a connection. */
  let milliseconds = 0;

  const search: Search = async (session, query, signal) => {
    if (searches === LOGIN.searches) throw invalidContent(`a login needs more than ${LOGIN.searches} searches`);
    if (milliseconds > longest) throw invalidContent(`the searches of a login take more than ${longest} ms`);
    searches++;
    const start = performance.now();
    const result = await session.search(query, signal);
    milliseconds += performance.now() - start;
    bytes += result.bytes;
    if (bytes > LOGIN.bytes) throw invalidContent(`the responses to one login are longer than ${LOGIN.bytes} bytes`);
    return result;
  };

  return { over: (session) => new BoundedSession(session, search) };
}

type Search = (session: Session, query: SearchQuery, signal: AbortSignal) => Promise<SearchResult>;

/** A connection of which one method is another. A class, because each login has several of them. */
class BoundedSession implements Session {
  readonly #session: Session;
  readonly #search: Search;

  constructor(session: Session, search: Search) {
    this.#session = session;
    this.#search = search;
  }

  get server(): string {
    return this.#session.server;
  }

  get usable(): boolean {
    return this.#session.usable;
  }

  search(query: SearchQuery, signal: AbortSignal): Promise<SearchResult> {
    return this.#search(this.#session, query, signal);
  }

  bind(...request: Parameters<Session["bind"]>): ReturnType<Session["bind"]> {
    return this.#session.bind(...request);
  }

  onEnd(listener: () => void): void {
    this.#session.onEnd(listener);
  }

  close(): void {
    this.#session.close();
  }
}

/** The directory as one login may use it: within its budget. */
export function directoryWithin(directory: LoginDirectory, budget: LoginBudget): LoginDirectory {
  return {
    read: (signal, use) => directory.read(signal, (session) => use(budget.over(session))),
    asUser: (signal, use) => directory.asUser(signal, (session) => use(budget.over(session))),
  };
}

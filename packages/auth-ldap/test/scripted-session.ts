import type { Entry } from "../src/protocol/entry.ts";
import { createEntry } from "../src/protocol/entry.ts";
import type { SearchQuery } from "../src/protocol/requests.ts";
import type { SearchResult, Session } from "../src/protocol/session.ts";

/** A connection whose server is a function, for what a real one does not do on demand. */
export interface ScriptedSession extends Session {
  readonly searches: readonly SearchQuery[];
  readonly closed: boolean;
  /** As when the server has gone. */
  end(): void;
}

export function scriptedSession(
  answer: (query: SearchQuery) => SearchResult = () => found(),
  server = "ldaps://one",
): ScriptedSession {
  const searches: SearchQuery[] = [];
  let usable = true;
  let closed = false;
  let ended: (() => void) | undefined;
  return {
    server,
    searches,
    get usable() {
      return usable;
    },
    get closed() {
      return closed;
    },
    async search(query) {
      searches.push(query);
      return answer(query);
    },
    async bind() {
      return { code: 0, diagnostic: "", policy: undefined };
    },
    onEnd(listener) {
      ended = listener;
    },
    close() {
      closed = true;
      usable = false;
    },
    end() {
      usable = false;
      ended?.();
    },
  };
}

/** A whole answer with these entries. */
export function found(...entries: readonly Entry[]): SearchResult {
  return { code: 0, diagnostic: "", entries, bytes: 0 };
}

export function entryOf(dn: string, attributes: Readonly<Record<string, readonly (string | Buffer)[]>> = {}): Entry {
  return createEntry(
    dn,
    Object.entries(attributes).map(([name, values]) => [
      name,
      values.map((value) => (typeof value === "string" ? Buffer.from(value) : value)),
    ]),
  );
}

import { setTimeout } from "node:timers/promises";
import type { Logger } from "@registry-gate/auth";
import { warnOnce } from "@registry-gate/auth-kit";
import type { TokenUse } from "./token-record.ts";
import type { StoredToken, TokenStore } from "./token-store.ts";

/** Writes last uses. It delays nobody, and what cannot be written is given up. */
export interface LastUseWriter {
  /** Notes that the token is used now. */
  note(token: StoredToken, client: string | undefined, agent: string | undefined): void;
  /** Waits for what is being written, but not for a store that is silent. */
  close(): Promise<void>;
}

/** In milliseconds. */
const closePatience = 500;
const mostEntries = 10_000;
const longestAgent = 256;
/** What could break a line of a list, or hide in it. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** @param interval How often the use of one token is written at most, in milliseconds. */
export function lastUseWriter(store: TokenStore, interval: number, log: Pick<Logger, "warn">): LastUseWriter {
  const written = new Map<string, number>();
  const writing = new Set<Promise<void>>();
  const warn = warnOnce(log);

  return {
    note(token, client, agent) {
      const now = performance.now();
      const before = written.get(token.digest);
      if (before !== undefined && now - before < interval) return;
      const [oldest] = written.keys();
      if (written.size >= mostEntries && oldest !== undefined) written.delete(oldest);
      written.delete(token.digest);
      written.set(token.digest, now);
      const work = store
        .recordUse(token, useOf(client, agent))
        .catch(() => warn({}, "the last use of access tokens cannot be written"))
        .finally(() => void writing.delete(work));
      writing.add(work);
    },
    async close() {
      const stop = new AbortController();
      const late = setTimeout(closePatience, undefined, { signal: stop.signal }).catch(() => {});
      await Promise.race([Promise.all(writing), late]);
      stop.abort();
    },
  };
}

function useOf(address: string | undefined, agent: string | undefined): TokenUse {
  const shown = agent?.slice(0, longestAgent).toWellFormed().replace(unseen, "");
  return {
    time: Date.now(),
    ...(address !== undefined && { address }),
    ...(shown !== undefined && shown !== "" && { agent: shown }),
  };
}

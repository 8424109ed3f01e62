import type { ServerResponse } from "node:http";

/** Pushes of immutable tags that take turns, so that each sees what the one before it has done. */
export interface TagTurns {
  /**
   * Waits until no other response holds one of the tags, and holds all of them until this response closes.
   *
   * @returns at once where the response is closed already.
   */
  take(repository: string, tags: readonly string[], response: ServerResponse): Promise<void>;
}

/** Turns within this process. */
export function tagTurns(): TagTurns {
  /** What is held, and the promise that it is not. */
  const held = new Map<string, Promise<void>>();

  return {
    async take(repository, tags, response) {
      const keys = tags.map((tag) => `${repository}:${tag}`);
      const closed = new Promise<void>((resolve) => {
        if (response.destroyed) resolve();
        else response.once("close", resolve);
      });
      for (;;) {
        const other = keys.map((key) => held.get(key)).find((holding) => holding !== undefined);
        if (response.destroyed) return;
        if (other === undefined) break;
        await Promise.race([other, closed]);
      }
      const over = closed.then(() => {
        for (const key of keys) held.delete(key);
      });
      for (const key of keys) held.set(key, over);
    },
  };
}

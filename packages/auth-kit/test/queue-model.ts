import type { FairQueueOptions } from "../src/index.ts";

/** A fair queue in a few lines of arrays: slow, and easy to check by eye. */
export interface QueueModel {
  readonly granted: readonly string[];
  readonly refused: readonly string[];
  readonly held: readonly string[];
  waiting(): readonly string[];
  acquire(name: string): void;
  release(name: string): void;
  abort(name: string): void;
  resize(concurrency: number): void;
}

export function queueModel(options: FairQueueOptions): QueueModel {
  const { maxWaiting, maxWaitingPerKey = maxWaiting } = options;
  let { concurrency } = options;
  const granted: string[] = [];
  const refused: string[] = [];
  const held: string[] = [];
  /** One for each key, the next one first. `since` is when it got as long as it is. */
  let lines: { key: string; names: string[]; since: number }[] = [];
  let clock = 0;
  const waiting = (): string[] => lines.flatMap(({ names }) => names);

  function grant(name: string): void {
    granted.push(name);
    held.push(name);
  }

  function serve(): void {
    while (held.length < concurrency) {
      const [line, ...others] = lines;
      const [name, ...names] = line?.names ?? [];
      if (line === undefined || name === undefined) return;
      lines = names.length === 0 ? others : [...others, { ...line, names, since: clock++ }];
      grant(name);
    }
  }

  function leave(name: string): void {
    lines = lines
      .map((line) =>
        line.names.includes(name)
          ? { ...line, names: line.names.filter((other) => other !== name), since: clock++ }
          : line,
      )
      .filter(({ names }) => names.length > 0);
  }

  return {
    granted,
    refused,
    held,
    waiting,
    acquire(name) {
      if (held.length < concurrency) return grant(name);
      const key = name.charAt(0);
      const own = lines.find((line) => line.key === key)?.names.length ?? 0;
      const full = waiting().length >= maxWaiting;
      if (own >= maxWaitingPerKey) return void refused.push(`${name} ${full ? "full" : "key-full"}`);
      if (full) {
        const [longest] = lines.toSorted((a, b) => b.names.length - a.names.length || a.since - b.since);
        const last = longest?.names.at(-1);
        if (longest === undefined || last === undefined || longest.names.length <= own + 1) {
          return void refused.push(`${name} full`);
        }
        refused.push(`${last} displaced`);
        leave(last);
      }
      const line = lines.find((other) => other.key === key);
      if (line === undefined) lines.push({ key, names: [name], since: clock++ });
      else {
        line.names.push(name);
        line.since = clock++;
      }
    },
    release(name) {
      held.splice(held.indexOf(name), 1);
      serve();
    },
    abort(name) {
      leave(name);
      refused.push(`${name} aborted`);
    },
    resize(next) {
      concurrency = next;
      serve();
    },
  };
}

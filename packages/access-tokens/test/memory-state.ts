import type { SharedState } from "@registry-gate/auth";

/** A state in memory that can be made to fail or to be silent, and that knows how often it was read and written. */
export interface MemoryState extends SharedState {
  mode: "working" | "failing" | "silent";
  /** The operations so far, each with its key. */
  readonly operations: readonly string[];
  /** All that is stored. */
  text(): string;
}

interface Entry {
  readonly value: string;
  readonly until: number;
}

export function memoryState(): MemoryState {
  const entries = new Map<string, Entry>();
  const operations: string[] = [];
  const live = (key: string): string | undefined => {
    const entry = entries.get(key);
    return entry !== undefined && Date.now() < entry.until ? entry.value : undefined;
  };
  const write = (key: string, value: string, ttl = Number.POSITIVE_INFINITY): void => {
    if (!/^[\x21-\x7e]{1,512}$/.test(key) || Buffer.byteLength(value) > 65_536 || !(ttl >= 1)) {
      throw new RangeError("a real store would not take this entry");
    }
    entries.set(key, { value, until: Date.now() + ttl });
  };
  async function operate<T>(name: string, key: string, work: () => T): Promise<T> {
    operations.push(`${name} ${key}`);
    await Promise.resolve();
    if (state.mode === "failing") throw new Error("the state store is unavailable");
    if (state.mode === "silent") return new Promise<never>(() => {});
    return work();
  }
  const state: MemoryState = {
    mode: "working",
    operations,
    text: () => JSON.stringify([...entries]),
    get: (key) => operate("get", key, () => live(key)),
    set: (key, value, ttl) => operate("set", key, () => write(key, value, ttl)),
    add: (key, value, ttl) =>
      operate("add", key, () => {
        if (live(key) !== undefined) return false;
        write(key, value, ttl);
        return true;
      }),
    replace: (key, expected, value, ttl) =>
      operate("replace", key, () => {
        if (live(key) !== expected) return false;
        const left = (entries.get(key)?.until ?? Number.POSITIVE_INFINITY) - Date.now();
        write(key, value, ttl ?? left);
        return true;
      }),
    delete: (key) =>
      operate("delete", key, () => {
        const was = live(key) !== undefined;
        entries.delete(key);
        return was;
      }),
    list: (prefix) =>
      operate("list", prefix, () =>
        [...entries.keys()]
          .filter((key) => key.startsWith(prefix))
          .flatMap((key) => {
            const value = live(key);
            return value === undefined ? [] : [{ key, value }];
          })
          .sort((one, other) => (one.key < other.key ? -1 : 1)),
      ),
  };
  return state;
}

/** The same entries by another object: what another process sees of them. */
export function otherProcess(state: SharedState): SharedState {
  return {
    get: (key) => state.get(key),
    set: (key, value, ttl) => state.set(key, value, ttl),
    add: (key, value, ttl) => state.add(key, value, ttl),
    replace: (key, expected, value, ttl) => state.replace(key, expected, value, ttl),
    delete: (key) => state.delete(key),
    list: (prefix) => state.list(prefix),
  };
}

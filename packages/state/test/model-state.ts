import type { StateStore, TimedValue } from "@registry-gate/state";

/** What a store means, in the fewest words: no time passes, and nothing is refused but what cannot be counted. */
export function modelState(): StateStore {
  const entries = new Map<string, TimedValue>();
  return {
    get: async (key) => entries.get(key)?.value,
    getWithTtl: async (key) => entries.get(key),
    async set(key, value, ttl) {
      entries.set(key, { value, ttl });
    },
    async add(key, value, ttl) {
      if (entries.has(key)) return false;
      entries.set(key, { value, ttl });
      return true;
    },
    async replace(key, expected, value, ttl) {
      const entry = entries.get(key);
      if (entry?.value !== expected) return false;
      entries.set(key, { value, ttl: ttl ?? entry.ttl });
      return true;
    },
    delete: async (key) => entries.delete(key),
    async list(prefix) {
      const keys = [...entries.keys()].filter((key) => key.startsWith(prefix)).sort();
      return keys.map((key) => ({ key, value: entries.get(key)?.value ?? "" }));
    },
    async increment(key, amount, ttl) {
      const entry = entries.get(key) ?? { value: "0", ttl };
      if (String(Number.parseInt(entry.value, 10)) !== entry.value) {
        throw new Error("the state store is unavailable: what is incremented is no whole number");
      }
      const sum = Number(entry.value) + amount;
      if (sum > 0) entries.set(key, { value: String(sum), ttl: entry.ttl });
      else entries.delete(key);
      return sum;
    },
    async extend(key, ttl) {
      const entry = entries.get(key);
      if (entry === undefined) return false;
      if (entry.ttl !== undefined && entry.ttl < ttl) entries.set(key, { value: entry.value, ttl });
      return true;
    },
    async check() {},
    async close() {},
  };
}

import type { DatabaseSync } from "node:sqlite";
import type { EntryTable } from "../table/entry-table.ts";

/** The table of a database that {@link openDatabase} has opened. */
export function sqliteTable(database: DatabaseSync): EntryTable {
  const read = database.prepare("SELECT value, expires_at FROM entries WHERE key = ?");
  const write = database.prepare("INSERT OR REPLACE INTO entries (key, value, expires_at) VALUES (?, ?, ?)");
  const remove = database.prepare("DELETE FROM entries WHERE key = ?");
  const list = database.prepare(
    `SELECT key, value FROM entries WHERE key >= ? AND key < ? AND (expires_at IS NULL OR expires_at > ?)
     ORDER BY key LIMIT ?`,
  );
  const sweep = database.prepare(
    "DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE expires_at <= ? LIMIT ?)",
  );
  return {
    // The time of day is the one that processes share, and that outlives them.
    now: () => Date.now(),
    read(key) {
      const row = read.get(key);
      if (row === undefined) return undefined;
      const { value, expires_at: expiresAt } = row;
      return { value: String(value), expiresAt: expiresAt === null ? undefined : Number(expiresAt) };
    },
    write: (key, { value, expiresAt }) => void write.run(key, value, expiresAt ?? null),
    remove: (key) => void remove.run(key),
    list(prefix, now, limit) {
      // DEL comes after every character that a key can have.
      const rows = list.all(prefix, `${prefix}\x7f`, now, limit);
      return rows.map(({ key, value }) => ({ key: String(key), value: String(value) }));
    },
    sweep: (now, limit) => Number(sweep.run(now, limit).changes),
  };
}

import type { DatabaseSync } from "node:sqlite";
import type { Logger } from "@registry-gate/auth";
import { type DatabaseFormat, inTransaction, openDatabase } from "./database.ts";
import { createPrivateFile, findFile } from "./private-file.ts";
import { sqliteFault } from "./sqlite-fault.ts";
import { untilUnlocked } from "./until-unlocked.ts";

/**
 * "rgqu". Numbers of a lane have no gaps: it grows at one end and shrinks at the other, so its length is known without
 * counting. They are never given twice, so that what a slow process removes is what it has read.
 */
const format: DatabaseFormat = {
  applicationId: 0x72677175,
  version: 1,
  schema: `
    CREATE TABLE lanes (lane TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE items (
      lane TEXT NOT NULL, number INTEGER NOT NULL, added_at INTEGER NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (lane, number)
    ) STRICT, WITHOUT ROWID;
  `,
};

/** An item that waits in a queue. */
export interface Queued {
  /** Grows from item to item of a lane. */
  readonly number: number;
  readonly value: string;
}

/**
 * Lanes of items in a file, in each of which the first to come is the first to go. It outlives the process, killed or not.
 * Every method throws an `Error` of one line where the file cannot be used.
 */
export interface DurableQueue {
  /**
   * Appends an item, and drops the oldest ones of its lane beyond `most`.
   *
   * @returns the length of the lane, and how many were dropped.
   */
  push(lane: string, value: string, most: number): Promise<{ readonly length: number; readonly dropped: number }>;
  /** The oldest item of a lane; `undefined` where it is empty. */
  first(lane: string): Promise<Queued | undefined>;
  /** Removes an item; does nothing where it is gone. */
  remove(lane: string, item: Queued): Promise<void>;
  /** How many items wait in a lane. */
  length(lane: string): Promise<number>;
  /** Drops what has waited for longer than `age` milliseconds in any other lane than these. */
  dropAbandoned(lanes: readonly string[], age: number): Promise<number>;
  /** Closes the file; what waits stays in it. */
  close(): void;
}

/**
 * Opens a queue, and makes its file with mode 0600 where there is none. What is pushed survives the end of the process in any
 * way; a loss of power may take the latest items: nothing waits for the disk.
 *
 * @throws {InvalidOptionsError} at `file`, if it cannot be made, opened or used.
 */
export async function openQueue({
  file,
  log,
}: {
  /** Absolute. Its directory must be local and writable. */
  readonly file: string;
  readonly log: Logger;
}): Promise<DurableQueue> {
  const { exists, exposed } = await findFile(file);
  if (exposed) log.warn({ file }, "the queue's file can be read or changed by other users of this machine");
  if (!exists) await createPrivateFile(file);
  const database = await openDatabase(file, format);
  database.exec("PRAGMA synchronous = NORMAL");
  const statements = statementsOf(database);

  /** One transaction. */
  async function run<T>(work: () => T): Promise<T> {
    try {
      return await untilUnlocked(() => inTransaction(database, work));
    } catch (error) {
      throw new Error(sqliteFault(error, file), { cause: error });
    }
  }

  return {
    push: (lane, value, most) =>
      run(() => {
        const number = statements.next(lane);
        statements.insert(lane, number, Date.now(), value);
        const dropped = statements.removeUpTo(lane, number - most);
        return { length: statements.length(lane), dropped };
      }),
    first: (lane) => run(() => statements.first(lane)),
    remove: (lane, { number }) => run(() => statements.remove(lane, number)),
    length: (lane) => run(() => statements.length(lane)),
    dropAbandoned: (lanes, age) => run(() => statements.dropAbandoned(JSON.stringify(lanes), Date.now() - age)),
    close() {
      if (database.isOpen) database.close();
    },
  };
}

/**
 * Finds what would keep {@link openQueue} from opening a file, and makes none.
 *
 * @throws {InvalidOptionsError} at `file`.
 */
export async function inspectQueue({ file }: { readonly file: string }): Promise<void> {
  const { exists } = await findFile(file);
  if (exists) (await openDatabase(file, format)).close();
}

function statementsOf(database: DatabaseSync) {
  const next = database.prepare(
    `INSERT INTO lanes (lane, next) VALUES (?, 2) ON CONFLICT (lane) DO UPDATE SET next = next + 1
     RETURNING next - 1 AS number`,
  );
  const insert = database.prepare("INSERT INTO items (lane, number, added_at, value) VALUES (?, ?, ?, ?)");
  const first = database.prepare("SELECT number, value FROM items WHERE lane = ? ORDER BY number LIMIT 1");
  const last = database.prepare("SELECT number FROM items WHERE lane = ? ORDER BY number DESC LIMIT 1");
  const remove = database.prepare("DELETE FROM items WHERE lane = ? AND number = ?");
  const removeUpTo = database.prepare("DELETE FROM items WHERE lane = ? AND number <= ?");
  const dropAbandoned = database.prepare(
    "DELETE FROM items WHERE added_at < ? AND lane NOT IN (SELECT value FROM json_each(?))",
  );
  const firstOf = (lane: string): Queued | undefined => {
    const row = first.get(lane);
    return row === undefined ? undefined : { number: Number(row.number), value: String(row.value) };
  };
  return {
    next: (lane: string): number => Number(next.get(lane)?.number),
    insert: (lane: string, number: number, at: number, value: string) => void insert.run(lane, number, at, value),
    first: firstOf,
    length(lane: string): number {
      const oldest = firstOf(lane);
      return oldest === undefined ? 0 : Number(last.get(lane)?.number) - oldest.number + 1;
    },
    remove: (lane: string, number: number) => void remove.run(lane, number),
    removeUpTo: (lane: string, number: number): number => Number(removeUpTo.run(lane, number).changes),
    dropAbandoned: (lanes: string, before: number): number => Number(dropAbandoned.run(before, lanes).changes),
  };
}

import type { DatabaseSync } from "node:sqlite";
import { InvalidOptionsError } from "@registry-gate/auth";
import { loadSqlite } from "./load-sqlite.ts";
import { sqliteFault } from "./sqlite-fault.ts";
import { busyTimeout, untilUnlocked } from "./until-unlocked.ts";

/** What is in a file. */
export interface DatabaseFormat {
  /** Tells our files from those of others (sqlite.org/pragma.html#pragma_application_id): four letters in ASCII. */
  readonly applicationId: number;
  readonly version: number;
  /** Makes the tables. */
  readonly schema: string;
}

/** Of {@link sqliteState}: "rgst". */
export const stateFormat: DatabaseFormat = {
  applicationId: 0x72677374,
  version: 1,
  schema: `
    CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER) STRICT, WITHOUT ROWID;
    CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
  `,
};

/**
 * Opens the database of a file, and makes its tables where it has none.
 *
 * @throws {InvalidOptionsError} at `file` for what is no database of ours.
 */
export async function openDatabase(file: string, format: DatabaseFormat): Promise<DatabaseSync> {
  const { DatabaseSync } = loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(file);
    database = opened;
    opened.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
    await untilUnlocked(() => prepare(opened, file, format));
    return opened;
  } catch (error) {
    database?.close();
    if (error instanceof InvalidOptionsError) throw error;
    throw new InvalidOptionsError([{ path: ["file"], message: sqliteFault(error, file) }], { cause: error });
  }
}

function prepare(database: DatabaseSync, file: string, { applicationId, version, schema }: DatabaseFormat): void {
  database.exec("PRAGMA journal_mode = WAL");
  // A value of an entry is never interpreted: what is in the file can do no more than be wrong.
  database.exec("PRAGMA trusted_schema = OFF");
  inTransaction(database, () => {
    const id = numberOf(database, "PRAGMA application_id", "application_id");
    const tables = numberOf(database, "SELECT count(*) AS tables FROM sqlite_schema", "tables");
    if (id === 0 && tables === 0) {
      database.exec(schema);
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`);
    } else if (id !== applicationId) throw fault(`is a database of another program: ${file}`);
    else if (numberOf(database, "PRAGMA user_version", "user_version") > version)
      throw fault(`was written by a newer version of registry-gate: ${file}`);
  });
}

/** Ends a transaction that failed. Where SQLite has ended it by itself, there is nothing to end. */
function rollBack(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // Node 22.15 cannot say whether there is a transaction.
  }
}

/** Does work in one transaction; where it throws, nothing of it stays. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

function numberOf(database: DatabaseSync, query: string, column: string): number {
  return Number(database.prepare(query).get()?.[column]);
}

function fault(message: string): InvalidOptionsError {
  return new InvalidOptionsError([{ path: ["file"], message }]);
}

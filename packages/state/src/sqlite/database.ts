import type { DatabaseSync } from "node:sqlite";
import { InvalidOptionsError } from "@registry-gate/auth";
import { loadSqlite } from "./load-sqlite.ts";
import { sqliteFault } from "./sqlite-fault.ts";
import { busyTimeout, untilUnlocked } from "./until-unlocked.ts";

/** Tells our files from those of other programs (sqlite.org/pragma.html#pragma_application_id): "rgst" in ASCII. */
const applicationId = 0x72677374;
const version = 1;

const schema = `
  CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER) STRICT, WITHOUT ROWID;
  CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${version};
`;

/**
 * Opens the database of a file, and makes its table where it has none.
 *
 * @throws {InvalidOptionsError} at `file` for what is no database of ours.
 */
export async function openDatabase(file: string): Promise<DatabaseSync> {
  const { DatabaseSync } = loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(file);
    database = opened;
    opened.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
    await untilUnlocked(() => prepare(opened, file));
    return opened;
  } catch (error) {
    database?.close();
    if (error instanceof InvalidOptionsError) throw error;
    throw new InvalidOptionsError([{ path: ["file"], message: sqliteFault(error, file) }], { cause: error });
  }
}

function prepare(database: DatabaseSync, file: string): void {
  database.exec("PRAGMA journal_mode = WAL");
  // A value of an entry is never interpreted: what is in the file can do no more than be wrong.
  database.exec("PRAGMA trusted_schema = OFF");
  database.exec("BEGIN IMMEDIATE");
  try {
    const id = numberOf(database, "PRAGMA application_id", "application_id");
    const tables = numberOf(database, "SELECT count(*) AS tables FROM sqlite_schema", "tables");
    if (id === 0 && tables === 0) database.exec(schema);
    else if (id !== applicationId) throw fault(`is a database of another program: ${file}`);
    else if (numberOf(database, "PRAGMA user_version", "user_version") > version)
      throw fault(`was written by a newer version of registry-gate: ${file}`);
    database.exec("COMMIT");
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

/** Ends a transaction that failed. Where SQLite has ended it by itself, there is nothing to end. */
export function rollBack(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // Node 22.15 cannot say whether there is a transaction.
  }
}

function numberOf(database: DatabaseSync, query: string, column: string): number {
  return Number(database.prepare(query).get()?.[column]);
}

function fault(message: string): InvalidOptionsError {
  return new InvalidOptionsError([{ path: ["file"], message }]);
}

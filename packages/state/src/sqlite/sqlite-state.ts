import { stat } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import type { Logger } from "@registry-gate/auth";
import { silentLog } from "@registry-gate/auth-kit";
import type { StateStore } from "../state-store.ts";
import { StateUnavailableError } from "../state-unavailable-error.ts";
import type { EntryTable, Transact } from "../table/entry-table.ts";
import { tableStore } from "../table/table-store.ts";
import { inTransaction, openDatabase, stateFormat } from "./database.ts";
import { createPrivateFile, findFile } from "./private-file.ts";
import { sqliteFault } from "./sqlite-fault.ts";
import { sqliteTable } from "./sqlite-table.ts";
import { untilUnlocked } from "./until-unlocked.ts";

/** How often it is looked at whether the file is still the one that was opened, in milliseconds. */
const lookInterval = 400;

/** A file that is open. */
interface OpenFile {
  readonly database: DatabaseSync;
  readonly table: EntryTable;
  readonly inode: number;
  /** Whether writes are synchronised; `undefined` before the first one. */
  durable: boolean | undefined;
}

/** Options of {@link sqliteState}. */
export interface SqliteStateOptions {
  /** The path of the database, made with mode 0600 if it is absent. Its directory must be local and writable. */
  readonly file: string;
  /** Takes a warning if other users of the machine can read the file. */
  readonly log?: Logger;
}

/**
 * A store in a SQLite file, which any number of processes of one machine can share, and which outlives them.
 *
 * @throws {InvalidOptionsError} at `file`, with its path, if it cannot be made, opened or used.
 */
export async function sqliteState({ file, log = silentLog }: SqliteStateOptions): Promise<StateStore> {
  let current = await openFile(file, log);
  let lookedAt = performance.now();
  let reopening: Promise<void> | undefined;
  let closed = false;

  /** What is synchronised costs milliseconds of the disk: too much for every count. */
  function synchronize(next: boolean): void {
    if (current.durable !== next) current.database.exec(`PRAGMA synchronous = ${next ? "FULL" : "NORMAL"}`);
    current.durable = next;
  }

  /**
   * SQLite goes on with a file that has no name any more: other processes would not see what is written there, and what they
   * write, such as a revocation, would not be seen here.
   */
  async function reopenIfReplaced(): Promise<void> {
    const found = await stat(file).catch(() => undefined);
    if (closed || found?.ino === current.inode) return;
    log.warn({ file }, "the state file was deleted or replaced; opening it anew");
    // First of all: it takes the files beside it along, which must not be read as those of the new one.
    if (current.database.isOpen) current.database.close();
    current = await openFile(file, log);
  }

  /** The table of the file that is at the path now, or was there a moment ago. */
  async function usableTable(): Promise<void> {
    if (reopening === undefined && performance.now() - lookedAt < lookInterval) return;
    reopening ??= reopenIfReplaced().finally(() => {
      lookedAt = performance.now();
      reopening = undefined;
    });
    await reopening;
  }

  const transact: Transact = async (purpose, work) => {
    try {
      if (!closed) await usableTable();
      return await untilUnlocked(() => {
        if (closed) throw new StateUnavailableError("it is closed");
        const { database, table } = current;
        if (purpose === "read") return work(table);
        synchronize(purpose === "write");
        return inTransaction(database, () => work(table));
      });
    } catch (error) {
      if (error instanceof StateUnavailableError) throw error;
      throw new StateUnavailableError(sqliteFault(error, file), { cause: error });
    }
  };

  return {
    ...tableStore(transact),
    async check() {
      await transact("read", (entries) => entries.read("check"));
    },
    async close() {
      if (closed) return;
      closed = true;
      // Somebody may be opening it anew at this moment.
      await reopening?.catch(() => {});
      if (current.database.isOpen) current.database.close();
    },
  };
}

/** @throws {InvalidOptionsError} at `file`. */
async function openFile(file: string, log: Logger): Promise<OpenFile> {
  const { exists, exposed } = await findFile(file);
  if (exposed) log.warn({ file }, "the state file can be read or changed by other users of this machine");
  if (!exists) await createPrivateFile(file);
  const database = await openDatabase(file, stateFormat);
  // Of the file that was opened: one that takes its place meanwhile is found at the next look.
  const { ino: inode } = await stat(file);
  return { database, table: sqliteTable(database), inode, durable: undefined };
}

/**
 * Finds what would keep {@link sqliteState} from opening a file, and makes none.
 *
 * @throws {InvalidOptionsError} at `file`.
 */
export async function inspectStateFile({ file, log = silentLog }: SqliteStateOptions): Promise<void> {
  const { exists } = await findFile(file);
  if (exists) await (await sqliteState({ file, log })).close();
}

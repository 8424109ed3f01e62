import type { Logger } from "@registry-gate/auth";
import { silentLog } from "@registry-gate/auth-kit";
import type { StateStore } from "../state-store.ts";
import { StateUnavailableError } from "../state-unavailable-error.ts";
import type { Transact } from "../table/entry-table.ts";
import { tableStore } from "../table/table-store.ts";
import { openDatabase, rollBack } from "./database.ts";
import { createPrivateFile, findFile } from "./private-file.ts";
import { sqliteFault } from "./sqlite-fault.ts";
import { sqliteTable } from "./sqlite-table.ts";
import { untilUnlocked } from "./until-unlocked.ts";

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
  const { exists, exposed } = await findFile(file);
  if (exposed) log.warn({ file }, "the state file can be read or changed by other users of this machine");
  if (!exists) await createPrivateFile(file);
  const database = await openDatabase(file);
  const table = sqliteTable(database);
  let durable: boolean | undefined;
  let closed = false;

  /** What is synchronised costs milliseconds of the disk: too much for every count. */
  function synchronize(next: boolean): void {
    if (durable !== next) database.exec(`PRAGMA synchronous = ${next ? "FULL" : "NORMAL"}`);
    durable = next;
  }

  const transact: Transact = async (purpose, work) => {
    try {
      return await untilUnlocked(() => {
        if (closed) throw new StateUnavailableError("it is closed");
        if (purpose === "read") return work(table);
        synchronize(purpose === "write");
        database.exec("BEGIN IMMEDIATE");
        try {
          const result = work(table);
          database.exec("COMMIT");
          return result;
        } catch (error) {
          rollBack(database);
          throw error;
        }
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
      database.close();
    },
  };
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

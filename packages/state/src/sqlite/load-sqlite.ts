type Sqlite = typeof import("node:sqlite");

let loaded: Sqlite | undefined;

/**
 * Loads `node:sqlite`. Up to Node 24 doing so prints an ExperimentalWarning, which tells an operator nothing: what is used
 * here is tested on every version that the package names. Only this one is dropped, and only while the module is loaded.
 */
export function loadSqlite(): Sqlite {
  loaded ??= withoutSqliteWarning(() => process.getBuiltinModule("node:sqlite"));
  return loaded;
}

/** Loading is synchronous: no other code can warn meanwhile. */
function withoutSqliteWarning<T>(load: () => T): T {
  const original = process.emitWarning;
  process.emitWarning = function filtered(warning: string | Error, ...details: unknown[]): void {
    if (String(warning).includes("SQLite is an experimental feature")) return;
    Reflect.apply(original, process, [warning, ...details]);
  };
  try {
    return load();
  } finally {
    process.emitWarning = original;
  }
}

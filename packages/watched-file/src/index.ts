/**
 * Follows files through edits, renames and symlink swaps, and reads them only when nobody is writing.
 *
 * @module
 */
export { type FileReadCode, FileReadError } from "./errors.ts";
export { type ReadOptions, readSettled, readSettledFiles, type SettledFile } from "./read-settled.ts";
export { type FileWatch, type WatchOptions, watchFile, watchFiles } from "./watch-files.ts";

import { type Fault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { FileReadError, readSettled, type SettledFile, watchFiles } from "@registry-gate/watched-file";
import { fileReload } from "../observe/file-reload.ts";
import { InvalidFileError } from "./invalid-file-error.ts";

/** A file that an option names. */
export interface NamedFile {
  /** Absolute. */
  readonly path: string;
  /** Where the options name it, for its faults. */
  readonly option: Fault["path"];
}

/** How files are followed. `Contents` is one content, or a list of them. */
interface FollowOptions<T, Contents> {
  /** Throws {@link InvalidFileError} for what cannot be used. What takes long is done {@link inTurns}. */
  readonly parse: (contents: Contents) => T | Promise<T>;
  /**
   * Maps a new value to the one that comes into force. Default: the new value itself. Throws {@link InvalidFileError} where the
   * current one is to stay, although the new one is well-formed.
   */
  readonly accept?: (next: T, current: T) => T | Promise<T>;
  /** Logs faults and warnings of a value, before it comes into force. */
  readonly report?: (value: T) => void;
  /** The largest file to read, in bytes. Default 64 MiB. */
  readonly maxBytes?: number;
  readonly log: Logger;
  /** Called when a new value has come into force. */
  readonly onChange?: () => void;
}

/** The options of {@link followFile}. */
export interface FollowFileOptions<T> extends FollowOptions<T, Buffer>, NamedFile {}

/** The options of {@link followFiles}. */
export interface FollowFilesOptions<T> extends FollowOptions<T, readonly Buffer[]> {
  /** In the order in which `parse` has their contents. */
  readonly files: readonly NamedFile[];
}

/** What is made of a file, or of several that belong together: always of the last good version. */
export interface FollowedValue<T> {
  /** Made of the last good version. */
  current(): T;
  /** Ends the following. Calling it again does nothing. */
  close(): void;
}

/**
 * Reads a file and follows it. A new version replaces the old one as a whole; one that cannot be read or used is logged, and
 * the previous one stays.
 *
 * @throws {InvalidOptionsError} when there is no good version to begin with.
 */
export function followFile<T>({ path, option, parse, ...others }: FollowFileOptions<T>): Promise<FollowedValue<T>> {
  return followFiles({
    ...others,
    files: [{ path, option }],
    parse([content]) {
      if (content === undefined) throw new RangeError("one file has one content");
      return parse(content);
    },
  });
}

/**
 * The same for files that belong together, such as a certificate and its key. They are parsed together, when any of them has
 * changed and all of them have settled. Without any file, the value is what `parse` makes of nothing.
 *
 * @throws {InvalidOptionsError} when there is no good version to begin with, with a fault for each file that cannot be read.
 */
export async function followFiles<T>(options: FollowFilesOptions<T>): Promise<FollowedValue<T>> {
  const { files, parse, accept = (next) => next, report, maxBytes, log, onChange } = options;
  const limit = maxBytes === undefined ? {} : { maxBytes };
  const since = await readAll(files, limit);
  let value = await parseFirst(files, since, parse);
  report?.(value);
  if (files.length === 0) return { current: () => value, close: () => {} };

  const paths = files.map(({ path }) => path);
  const [path] = paths;
  const named = paths.length === 1 ? { file: path } : { files: paths };
  let closed = false;
  let latest: Promise<void> = Promise.resolve();

  async function take(contents: readonly Buffer[]): Promise<void> {
    try {
      const next = await accept(await parse(contents), value);
      if (closed) return;
      report?.(next);
      value = next;
    } catch (error) {
      if (!(error instanceof InvalidFileError)) throw error;
      if (closed) return;
      const file = paths[error.index] ?? path;
      log.error({ file, reason: error.message }, "invalid file ignored, keeping the previous version");
      fileReload.publish(() => ({ files: paths, outcome: "invalid" }));
      return;
    }
    log.info(named, paths.length === 1 ? "the file was reloaded" : "the files were reloaded");
    fileReload.publish(() => ({ files: paths, outcome: "reloaded" }));
    onChange?.();
  }

  const watch = watchFiles(
    paths,
    (contents) => {
      // One version after the other, in the order of the files' changes.
      latest = latest.then(() => take(contents));
    },
    {
      ...limit,
      since,
      onError({ code, fault, path: file }) {
        log.error({ file, code, reason: fault }, "the file cannot be read, keeping the previous version");
        fileReload.publish(() => ({ files: paths, outcome: "unreadable" }));
      },
    },
  );
  return {
    current: () => value,
    close() {
      closed = true;
      watch.close();
    },
  };
}

async function readAll(
  files: readonly NamedFile[],
  limit: { readonly maxBytes?: number },
): Promise<readonly SettledFile[]> {
  const faults: Fault[] = [];
  const read = await Promise.all(
    files.map(async ({ option, path }) => {
      try {
        return [await readSettled(path, limit)];
      } catch (error) {
        if (!(error instanceof FileReadError)) throw error;
        faults.push({ path: option, message: error.message });
        return [];
      }
    }),
  );
  if (faults.length > 0) throw new InvalidOptionsError(faults);
  return read.flat();
}

async function parseFirst<T>(
  files: readonly NamedFile[],
  read: readonly SettledFile[],
  parse: (contents: readonly Buffer[]) => T | Promise<T>,
): Promise<T> {
  try {
    return await parse(read.map(({ content }) => content));
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error;
    const file = files[error.index];
    if (file === undefined) throw error;
    const message = `${error.message}: ${file.path}`;
    throw new InvalidOptionsError([{ path: file.option, message }], { cause: error });
  }
}

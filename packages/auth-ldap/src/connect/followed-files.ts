import { type Fault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { fileReload } from "@registry-gate/auth-kit";
import { FileReadError, readSettled, type SettledFile, watchFiles } from "@registry-gate/watched-file";

export interface FollowedFilesOptions<T> {
  /** The option that names each file, and its absolute path. */
  readonly files: readonly { readonly option: string; readonly path: string }[];
  /** Throws {@link InvalidOptionsError} for contents that cannot be used. */
  readonly parse: (contents: readonly Buffer[]) => T;
  readonly log: Logger;
  /** Called when new contents have come into force. */
  readonly onChange?: () => void;
}

/** What is made of some files that belong together, always from their latest good contents. */
export interface FollowedFiles<T> {
  current(): T;
  close(): void;
}

/**
 * Reads files and follows them. New contents that cannot be read or used are told of in the log, and the last good ones
 * stay in force.
 *
 * @throws {InvalidOptionsError} when there are no good contents to begin with.
 */
export async function followFiles<T>(options: FollowedFilesOptions<T>): Promise<FollowedFiles<T>> {
  const { files, parse, log, onChange } = options;
  const since = await readAll(files);
  let value = parse(since.map(({ content }) => content));
  if (files.length === 0) return { current: () => value, close: () => {} };
  const paths = files.map(({ path }) => path);
  const watch = watchFiles(
    paths,
    (contents) => {
      try {
        value = parse(contents);
      } catch (error) {
        if (!(error instanceof InvalidOptionsError)) throw error;
        log.error(
          { files: paths, reason: error.message },
          "the files are of no use; what was read before stays in force",
        );
        fileReload.publish(() => ({ files: paths, outcome: "invalid" }));
        return;
      }
      log.info({ files: paths }, "the files have been read anew");
      fileReload.publish(() => ({ files: paths, outcome: "reloaded" }));
      onChange?.();
    },
    {
      since,
      onError({ code, fault, path }) {
        log.error({ file: path, code, reason: fault }, "the file cannot be read; what was read before stays in force");
        fileReload.publish(() => ({ files: paths, outcome: "unreadable" }));
      },
    },
  );
  return { current: () => value, close: () => watch.close() };
}

async function readAll(files: FollowedFilesOptions<unknown>["files"]): Promise<readonly SettledFile[]> {
  const faults: Fault[] = [];
  const read = await Promise.all(
    files.map(async ({ option, path }) => {
      try {
        return await readSettled(path);
      } catch (error) {
        if (!(error instanceof FileReadError)) throw error;
        faults.push({ path: [option], message: error.message });
        return undefined;
      }
    }),
  );
  if (faults.length > 0) throw new InvalidOptionsError(faults);
  return read.flatMap((file) => (file === undefined ? [] : [file]));
}

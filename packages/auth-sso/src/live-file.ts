import { InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { fileReload } from "@registry-gate/auth-kit";
import { FileReadError, readSettled, watchFile } from "@registry-gate/watched-file";

/** What a file holds cannot be used. The message is one line and never quotes a secret. */
export class UnusableFileError extends Error {
  override readonly name = "UnusableFileError";
}

export interface LiveFileOptions<T> {
  /** Absolute. */
  readonly path: string;
  /** Where the options name the file, for the fault. */
  readonly option: readonly string[];
  /** Throws {@link UnusableFileError}. */
  readonly parse: (content: Buffer) => T;
  readonly log: Logger;
  /** Called when a new content has come into force. */
  readonly onChange: () => void;
}

/** A file whose latest good content is at hand. */
export interface LiveFile<T> {
  current(): T;
  close(): void;
}

const LARGEST = 1024 * 1024;

/**
 * Loads a file and follows it. A content that cannot be read or used is told of in the log, and the last good one stays.
 *
 * @throws {InvalidOptionsError} when there is no good content to begin with.
 */
export async function openLiveFile<T>(options: LiveFileOptions<T>): Promise<LiveFile<T>> {
  const { path, option, parse, log, onChange } = options;
  const load = async () => {
    try {
      const file = await readSettled(path, { maxBytes: LARGEST });
      return { file, value: parse(file.content) };
    } catch (error) {
      if (error instanceof FileReadError) {
        throw new InvalidOptionsError([{ path: option, message: error.message }], { cause: error });
      }
      if (error instanceof UnusableFileError) {
        throw new InvalidOptionsError([{ path: option, message: `${error.message}: ${path}` }], { cause: error });
      }
      throw error;
    }
  };
  const first = await load();
  let { value } = first;

  const watch = watchFile(
    path,
    (content) => {
      try {
        value = parse(content);
      } catch (error) {
        if (!(error instanceof UnusableFileError)) throw error;
        log.error({ file: path, reason: error.message }, "the file is of no use; what was read before stays in force");
        fileReload.publish(() => ({ files: [path], outcome: "invalid" }));
        return;
      }
      log.info({ file: path }, "the file has been read anew");
      fileReload.publish(() => ({ files: [path], outcome: "reloaded" }));
      onChange();
    },
    {
      since: first.file,
      maxBytes: LARGEST,
      onError({ code, fault }) {
        log.error({ file: path, code, reason: fault }, "the file cannot be read; what was read before stays in force");
        fileReload.publish(() => ({ files: [path], outcome: "unreadable" }));
      },
    },
  );
  return { current: () => value, close: () => watch.close() };
}

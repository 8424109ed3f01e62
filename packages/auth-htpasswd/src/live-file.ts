import { type Fault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { fileReload } from "@registry-gate/auth-kit";
import { FileReadError, readSettled, type SettledFile, watchFile } from "@registry-gate/watched-file";
import { NotThatFileError } from "./text-lines.ts";

export interface LiveFileOptions<T> {
  /** Absolute. */
  readonly path: string;
  /** The option that names the file, for the fault. */
  readonly option: string;
  /** Throws {@link NotThatFileError} for a file that is wholly something else. */
  readonly parse: (content: Buffer) => T;
  /**
   * Makes of a new content what comes into force; by default it does so itself. Throws {@link NotThatFileError} where the
   * current one is to stay, although the new one is well-formed.
   */
  readonly succeed?: (next: T, current: T) => T;
  /** Writes down what is noteworthy in a new content, before it comes into force. */
  readonly report: (value: T) => void;
  readonly log: Logger;
  /** Called when a new content has come into force. */
  readonly onChange: () => void;
}

/** A file whose latest good content is at hand. */
export interface LiveFile<T> {
  current(): T;
  close(): void;
}

/**
 * Loads a file and follows it. A new content replaces the old one as a whole; one that cannot be read or parsed is
 * told of in the log, and the last good one stays.
 *
 * @throws {InvalidOptionsError} when there is no good content to begin with.
 */
export async function openLiveFile<T>(options: LiveFileOptions<T>): Promise<LiveFile<T>> {
  const { path, parse, succeed = (next) => next, report, log, onChange } = options;
  const first = await load(options);
  let value = first.value;
  report(value);

  const watch = watchFile(
    path,
    (content) => {
      try {
        const next = succeed(parse(content), value);
        report(next);
        value = next;
      } catch (error) {
        if (!(error instanceof NotThatFileError)) throw error;
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
      onError({ code, fault }) {
        log.error({ file: path, code, reason: fault }, "the file cannot be read; what was read before stays in force");
        fileReload.publish(() => ({ files: [path], outcome: "unreadable" }));
      },
    },
  );
  return { current: () => value, close: () => watch.close() };
}

async function load<T>({ path, option, parse }: LiveFileOptions<T>): Promise<{ value: T; file: SettledFile }> {
  const fault = (message: string): Fault => ({ path: [option], message });
  try {
    const file = await readSettled(path);
    return { value: parse(file.content), file };
  } catch (error) {
    if (error instanceof FileReadError) throw new InvalidOptionsError([fault(error.message)], { cause: error });
    if (error instanceof NotThatFileError) throw new InvalidOptionsError([fault(`${error.message}: ${path}`)]);
    throw error;
  }
}

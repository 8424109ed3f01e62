/**
 * What a file holds cannot be used. The message is one line that goes on after the name of the file, and never quotes a
 * secret.
 */
export class InvalidFileError extends Error {
  override readonly name = "InvalidFileError";
  /** Which of several files that are read together, counted from 0. */
  readonly index: number;

  constructor(message: string, index = 0, options?: ErrorOptions) {
    super(message, options);
    this.index = index;
  }
}

export interface ArchivedFile {
  /** Relative, of ASCII, at most 100 bytes. */
  readonly path: string;
  readonly content: Uint8Array;
}

const block = 512;

/** The files in an archive of the format ustar (POSIX.1-1988). The same files always give the same bytes. */
export function tarArchive(files: readonly ArchivedFile[]): Uint8Array {
  const parts = files.flatMap(({ path, content }) => [
    header(path, content.length),
    content,
    Buffer.alloc((block - (content.length % block)) % block),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(path: string, size: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new RangeError(`too long for ustar: ${path}`);
  const field = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number): void => {
    field.write(value.toString(8).padStart(length - 1, "0"), at);
  };
  field.write(path, 0);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  field.write("0", 156);
  field.write("ustar\x0000", 257);
  // The sum of all bytes, with blanks in the place of the sum.
  field.fill(" ", 148, 156);
  octal(
    field.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  field[154] = 0;
  return field;
}

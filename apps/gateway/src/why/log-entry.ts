/** One line of a log or an audit: an object that was written as JSON. */
export type LogEntry = Readonly<Record<string, unknown>>;

/** What collectors call the text of a line: Docker's json-file driver, and journald's JSON export. */
const envelopes = ["log", "MESSAGE"];
/** A collector's line within another collector's. */
const deepest = 3;

/**
 * Reads a line of the gateway's log, as it is or as a collector has kept it: behind a prefix, such as that of compose,
 * Kubernetes or syslog, or as a member of an object of its own.
 *
 * @returns `undefined` for a line that holds no JSON object.
 */
export function readEntry(line: string): LogEntry | undefined {
  let text = line;
  for (let depth = 0; depth < deepest; depth++) {
    const entry = objectIn(text);
    const inner = entry && envelopes.map((name) => textOf(entry[name])).find((found) => found?.includes("{") === true);
    if (inner === undefined) return entry;
    text = inner;
  }
  return undefined;
}

function objectIn(text: string): LogEntry | undefined {
  const start = text.indexOf("{");
  if (start < 0) return undefined;
  try {
    const value: unknown = JSON.parse(text.slice(start));
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** journald exports what is not plain text as a list of bytes. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value) || !value.every((byte) => Number.isInteger(byte))) return undefined;
  return Buffer.from(value).toString("utf8");
}

function isEntry(value: unknown): value is LogEntry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import { statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { systemErrorCode } from "@registry-gate/auth-kit";

/** How often a file is looked for, in milliseconds. */
const interval = 200;

/**
 * Whether something exists at a path.
 *
 * @throws the error of the system where it cannot be found out, such as one of permissions.
 */
export function existsNow(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Follows whether something exists at a path, by looking (docs/decisions/files-are-polled.md). */
export function followExistence(
  path: string,
  { onChange, onError }: { readonly onChange: (exists: boolean) => void; readonly onError: (error: unknown) => void },
): { close(): void } {
  let closed = false;
  let timer: NodeJS.Timeout;
  let reported: string | undefined;

  async function look(): Promise<void> {
    let exists: boolean | undefined;
    try {
      exists = await stat(path).then(() => true);
    } catch (error) {
      if (isMissing(error)) exists = false;
      else if (!closed && systemErrorCode(error) !== reported) {
        reported = systemErrorCode(error);
        onError(error);
      }
    }
    if (closed) return;
    if (exists !== undefined) {
      reported = undefined;
      onChange(exists);
    }
    next();
  }

  function next(): void {
    timer = setTimeout(() => void look(), interval).unref();
  }

  next();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function isMissing(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

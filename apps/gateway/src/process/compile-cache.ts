import { lstatSync, mkdirSync, realpathSync } from "node:fs";
// Of an old Node the module has no such function, and could not be linked with it before the Node is refused.
import module from "node:module";
import { dirname, isAbsolute, join } from "node:path";

/**
 * Keeps compiled code between runs, which takes a quarter of the start. It lies where the user's caches lie, and not in Node's
 * default below `/tmp`, which anybody may fill: what is found there runs as it is. Where there is no such place, nothing is
 * kept. `NODE_COMPILE_CACHE` and `NODE_DISABLE_COMPILE_CACHE` are Node's own, and come first.
 *
 * @module
 */
const { NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE } = process.env;
if (NODE_COMPILE_CACHE === undefined && NODE_DISABLE_COMPILE_CACHE === undefined) {
  const directory = cacheDirectory(process.env);
  if (directory !== undefined) module.enableCompileCache(directory);
}

/** systemd.exec(5) says of the first that it holds one directory or several; the XDG Base Directory Specification has the others. */
function cacheDirectory({ CACHE_DIRECTORY, XDG_CACHE_HOME, HOME }: NodeJS.ProcessEnv): string | undefined {
  const [given] = CACHE_DIRECTORY?.split(":") ?? [];
  const base = [given, XDG_CACHE_HOME, HOME && join(HOME, ".cache")].find((path) => path && isAbsolute(path));
  if (base === undefined) return undefined;
  const directory = base === given ? join(base, "compiled") : join(base, "registry-gate", "compiled");
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const real = realpathSync(directory);
    return isOurs(real) ? real : undefined;
  } catch {
    return undefined;
  }
}

/** Whether nobody but this user and root can put anything there, or something else in its place. */
function isOurs(directory: string): boolean {
  const user = process.getuid?.();
  for (let path = directory; ; path = dirname(path)) {
    const { uid, mode } = lstatSync(path);
    if (uid !== user && uid !== 0) return false;
    const isShared = (mode & 0o022) !== 0;
    // Of a directory with the sticky bit, nobody can take away what is another's.
    const isSticky = (mode & 0o1000) !== 0 && path !== directory;
    if (isShared && !isSticky) return false;
    if (path === dirname(path)) return true;
  }
}

import { lstatSync, unlinkSync } from "node:fs";
import { chmod, chown, link, lstat, mkdtemp, readFile, rename, rm, stat, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { basename, dirname, join } from "node:path";
import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { systemErrorCode } from "@registry-gate/auth-kit";
import { inheritanceHint } from "./inherited-socket.ts";

/** How a Unix socket is to be. */
export interface UnixSocketPlace {
  readonly path: string;
  /** Of its file; by default what the process's umask leaves. */
  readonly mode: number | undefined;
  /** A name or a number; by default the process's own. */
  readonly group: string | number | undefined;
  /** Whether another process may listen on it, whose place is taken. */
  readonly shared: boolean;
}

/** The socket's file. */
export interface UnixSocketFile {
  /** Whether the path still leads to it. */
  isInPlace(): boolean;
  /** Takes it away, before the socket is closed: from then on somebody else may have the path. */
  remove(): void;
}

/** The most bytes that the path of a socket can have on Linux. */
const longestPath = 107;

/**
 * Makes a server listen on a Unix socket. Nobody can connect before the file has its mode and group: it is made in a
 * directory of its own, and moved from there. What it takes the place of, it takes at one stroke.
 *
 * @param former A socket of this process whose place may be taken.
 * @throws {InvalidOptionsError} with paths below `listen`.
 */
export async function listenOnUnixSocket(
  server: Server,
  place: UnixSocketPlace,
  former: UnixSocketFile | undefined,
): Promise<UnixSocketFile> {
  const reserved = await reserveUnixSocket(place, former);
  try {
    await listenAt(server, reserved.temporary, place.path);
    try {
      return await reserved.place();
    } catch (error) {
      server.close();
      throw error;
    }
  } finally {
    await reserved.release();
  }
}

/** A place where a socket can be made that nobody can connect to yet. */
export interface ReservedUnixSocket {
  /** Where a server has to listen. */
  readonly temporary: string;
  /**
   * Gives the file of the socket its mode and group and moves it to its path.
   *
   * @throws {InvalidOptionsError} with paths below `listen`.
   */
  place(): Promise<UnixSocketFile>;
  /** Must be called in the end, in any case. */
  release(): Promise<void>;
}

/** Prepares what {@link listenOnUnixSocket} does, for a server of another process. */
export async function reserveUnixSocket(
  place: UnixSocketPlace,
  former: UnixSocketFile | undefined,
): Promise<ReservedUnixSocket> {
  const { path, mode, group, shared } = place;
  const replaces = shared || former?.isInPlace() === true;
  if (Buffer.byteLength(path) > longestPath) throw tooLong(path);
  const before = await lstat(path).catch(() => undefined);
  if (before?.isSocket() === false) throw inUse(path);
  if (before !== undefined && !replaces) await removeStaleSocket(path);
  const gid = group === undefined ? undefined : await groupId(group);
  if (group !== undefined && gid === undefined) {
    throw fault("socketGroup", `/etc/group has no group ${group}; give its number`);
  }
  const directory = await makeDirectory(path);
  const release = (): Promise<void> => rm(directory, { recursive: true, force: true });
  // The name is what `ss` shows, where there is room for it.
  const temporary = [basename(path), "s"].map((name) => join(directory, name)).find(isShort);
  if (temporary === undefined) {
    await release();
    throw tooLong(path);
  }
  return {
    temporary,
    release,
    async place() {
      if (gid !== undefined) await changeGroup(temporary, gid, group);
      if (mode !== undefined) await chmod(temporary, mode);
      const { dev, ino } = await lstat(temporary, { bigint: true });
      await move(temporary, path, replaces);
      return {
        isInPlace: () => isSame(path, dev, ino),
        remove() {
          // A shared one stays: another process may take its place at any moment.
          if (!shared && isSame(path, dev, ino)) attempt(() => unlinkSync(path));
        },
      };
    },
  };
}

/** The number of a group, as a number or by its name in `/etc/group`; `undefined` where it has none. */
export async function groupId(group: string | number): Promise<number | undefined> {
  if (typeof group === "number") return group;
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const lines = (await readFile("/etc/group", "utf8").catch(() => "")).split("\n");
  const [id] = lines.flatMap((line) => {
    const [name, , number = ""] = line.split(":");
    return name === group && /^\d{1,10}$/.test(number) ? [Number(number)] : [];
  });
  return id;
}

function isShort(path: string): boolean {
  return Buffer.byteLength(path) <= longestPath;
}

async function makeDirectory(path: string): Promise<string> {
  const parent = dirname(path);
  try {
    return await mkdtemp(`${parent}/.`);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "ENOTDIR") {
      throw fault("address", `the directory of unix:${path} does not exist`, error);
    }
    throw refusal(path, error);
  }
}

/**
 * Makes a server listen at a reserved place.
 *
 * @param path As it is named in faults.
 * @throws {InvalidOptionsError} at `listen.address`.
 */
export function listenAt(server: Server, temporary: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(refusal(path, error)));
    server.listen(temporary, resolve);
  });
}

async function changeGroup(temporary: string, gid: number, group: string | number | undefined): Promise<void> {
  try {
    await chown(temporary, (await stat(temporary)).uid, gid);
  } catch (error) {
    const message = `no permission to set the socket's group to ${group}: the gate's user must be a member of it`;
    throw fault("socketGroup", message, error);
  }
}

async function move(temporary: string, path: string, replaces: boolean): Promise<void> {
  try {
    if (replaces) await rename(temporary, path);
    // A link, unlike a renaming, leaves alone what has come there meanwhile.
    else await link(temporary, path);
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST" || systemErrorCode(error) === "EISDIR") throw inUse(path);
    throw refusal(path, error);
  }
}

/** A socket file that nobody listens on is left over from a process that was killed. */
async function removeStaleSocket(path: string): Promise<void> {
  if (await isListenedOn(path)) throw inUse(path);
  await unlink(path).catch((error: unknown) => {
    if (systemErrorCode(error) !== "ENOENT") throw refusal(path, error);
  });
}

function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    // Whatever else is wrong, such as a missing permission, does not say that nobody is there.
    probe.once("error", (error) => resolve(!["ECONNREFUSED", "ENOENT"].includes(systemErrorCode(error) ?? "")));
  });
}

function isSame(path: string, dev: bigint, ino: bigint): boolean {
  const status = attempt(() => lstatSync(path, { bigint: true }));
  return status?.dev === dev && status.ino === ino;
}

/** What the file system refuses here does no harm: a socket file that is left over is taken away at the next start. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function inUse(path: string): InvalidOptionsError {
  return fault("address", `unix:${path} is in use${inheritanceHint(process.env, process.pid)}`);
}

function tooLong(path: string): InvalidOptionsError {
  return fault("address", `unix:${path} is too long for the path of a socket`);
}

function refusal(path: string, error: unknown): InvalidOptionsError {
  const code = systemErrorCode(error);
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  const message = denied ? `no permission to listen on unix:${path}` : `cannot listen on unix:${path} (${code})`;
  return fault("address", message, error);
}

function fault(key: string, message: string, cause?: unknown): InvalidOptionsError {
  const faults: Fault[] = [{ path: ["listen", key], message }];
  return new InvalidOptionsError(faults, { cause });
}

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type BackendContext, type Duration, InvalidOptionsError, parseDuration } from "@registry-gate/auth";
import { followFile, InvalidFileError, ReplaceError, replaceFile, subscriptions, z } from "@registry-gate/auth-kit";
import { isExposed } from "./exposed-file.ts";
import { type TokenKeys, tokenKeys } from "./keys.ts";
import { makeKey, type NewKey } from "./make-key.ts";
import { createdMember, jwkSchema, KeyError, type KeyMaterial, type TokenKey, tokenKey } from "./signing-key.ts";

const maxFileBytes = 1024 * 1024;
const maxKeys = 100;

const keySetSchema = z.looseObject({ keys: z.array(jwkSchema).min(1).max(maxKeys) });

/** What {@link openKeys} is given. */
export interface KeyOptions {
  /**
   * A JWK set with private keys, the newest first, as {@link addKey} writes it: relative to the base directory of the
   * context. It is followed. Without it there is a random key, which no other process has.
   */
  readonly file?: string;
}

/**
 * Opens the keys of a gate.
 *
 * @param context `option` is where the options name the file, for its faults; default `file`.
 * @throws {InvalidOptionsError} where the file cannot be used at the start. Later on the last good version stays in force.
 */
export async function openKeys(
  { file }: KeyOptions,
  {
    baseDirectory,
    log,
    warn,
    option = ["file"],
  }: Pick<BackendContext, "baseDirectory" | "log" | "warn"> & {
    readonly option?: readonly (string | number)[];
  },
): Promise<TokenKeys> {
  if (file === undefined) return randomKeys();
  const path = resolve(baseDirectory, file);
  const changes = subscriptions();
  let atStart = true;
  const followed = await followFile({
    path,
    option,
    parse: parseKeys,
    maxBytes: maxFileBytes,
    log,
    report() {
      const message = "can be read by other users than its owner, and so can the keys: chmod 600";
      if (!othersCanRead(path)) return;
      if (atStart) warn({ path: option, message: `${message} ${path}` });
      else log.warn({ file: path }, `the file ${message}`);
    },
    onChange: changes.notify,
  });
  atStart = false;
  return tokenKeys({
    current: followed.current,
    onChange: changes.add,
    close() {
      followed.close();
      changes.clear();
    },
  });
}

/** One key that this process alone has. */
export async function randomKeys(key: NewKey = {}): Promise<TokenKeys> {
  return fixedKeys(await makeKey(key));
}

/** One key that never changes, such as one that {@link makeKey} has made for several processes. */
export function fixedKeys(material: KeyMaterial): TokenKeys {
  const keys = [tokenKey(material)];
  return tokenKeys({ current: () => keys, onChange: () => () => {}, close: () => {} });
}

/** What {@link addKey} does beside adding a key. */
export interface AddKeyOptions extends NewKey {
  /** Removes keys that were made longer ago. One that does not say when it was made stays. */
  readonly removeOlderThan?: Duration;
  /** For how long to wait for another run that is changing the file, in milliseconds. Default 10 000. */
  readonly lockTimeout?: number;
}

/** What has become of a file of keys. */
export interface AddedKey {
  readonly kid: string;
  /** Whether the file is new. */
  readonly created: boolean;
  /** How many keys were removed. */
  readonly removed: number;
  /** How many there are now. */
  readonly total: number;
}

/**
 * Adds a new key to a file of keys, before those that are there: they go on verifying. The file is replaced in one step, its
 * mode kept; a new one has mode 0600.
 *
 * @param file Relative to the current directory.
 * @throws {InvalidOptionsError} whose faults have the path `file`, `pem` or `removeOlderThan`.
 */
export async function addKey(file: string, options: AddKeyOptions = {}): Promise<AddedKey> {
  const { removeOlderThan, lockTimeout = 10_000, ...key } = options;
  const age = removeOlderThan === undefined ? undefined : parseDuration(removeOlderThan);
  if (removeOlderThan !== undefined && age === undefined) {
    throw invalid("removeOlderThan", "must be a duration such as 30d");
  }
  const made = await makeKey(key).catch((error: unknown) => {
    throw error instanceof KeyError ? invalid("pem", error.message, error) : error;
  });
  try {
    return await replaceFile(file, (content) => edit(content, made, age), { lockTimeout });
  } catch (error) {
    if (error instanceof ReplaceError) throw invalid("file", error.message, error);
    throw error instanceof InvalidFileError ? invalid("file", `${error.message}: ${file}`, error) : error;
  }
}

/** Those that are there stay as they are, members that nobody here knows included. */
function edit(content: Buffer, made: KeyMaterial, age: number | undefined): AddedKey & { readonly content: Buffer } {
  const { keys, ...others } = content.length === 0 ? { keys: [] } : readKeySet(content);
  if (keys.some(({ kid }) => kid === made.kid)) throw new InvalidFileError("holds this key already");
  const oldest = age === undefined ? Number.NEGATIVE_INFINITY : Date.now() - age;
  const kept = keys.filter(({ [createdMember]: created }) => created === undefined || created * 1000 >= oldest);
  if (kept.length + 1 > maxKeys) throw new InvalidFileError(`holds ${maxKeys} keys already: remove older ones`);
  const edited = { ...others, keys: [made, ...kept] };
  return {
    content: Buffer.from(`${JSON.stringify(edited, undefined, 2)}\n`),
    kid: made.kid,
    created: content.length === 0,
    removed: keys.length - kept.length,
    total: kept.length + 1,
  };
}

function readKeySet(content: Buffer): z.infer<typeof keySetSchema> {
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch (cause) {
    throw new InvalidFileError("is not JSON", 0, { cause });
  }
  const { data, error } = keySetSchema.safeParse(value);
  if (data !== undefined) return data;
  const where = error.issues[0]?.path.map(String).join(".") ?? "";
  throw new InvalidFileError(`is no JWK set that can be used${where === "" ? "" : ` (at ${where})`}`);
}

function parseKeys(content: Buffer): readonly TokenKey[] {
  const { keys } = readKeySet(content);
  const made = keys.map((key, index) => {
    try {
      return tokenKey(key);
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      throw new InvalidFileError(`has a key (number ${index + 1}) that ${error.message}`, 0, { cause: error });
    }
  });
  if (new Set(made.map(({ kid }) => kid)).size < made.length) throw new InvalidFileError("has two keys of one kid");
  if (!made.some(({ privateKey }) => privateKey !== undefined)) throw new InvalidFileError("has no private key");
  return made;
}

function othersCanRead(path: string): boolean {
  const file = statSync(path, { throwIfNoEntry: false });
  return file !== undefined && isExposed(file, process.geteuid?.());
}

function invalid(option: string, message: string, cause?: unknown): InvalidOptionsError {
  return new InvalidOptionsError([{ path: [option], message }], { cause });
}

import type { hash, verify } from "@node-rs/bcrypt";

/** What is used of the native module. */
interface Bcrypt {
  readonly hash: typeof hash;
  readonly verify: typeof verify;
}

let loading: Promise<Bcrypt> | undefined;

/**
 * The native bcrypt. It is loaded when it is needed: where it cannot be, such as after an installation without optional
 * dependencies or for another platform, every other kind of hash goes on to work.
 *
 * @throws {Error} whose message says so, and what to do.
 */
export function loadBcrypt(): Promise<Bcrypt> {
  loading ??= import("@node-rs/bcrypt").catch((cause: unknown) => {
    throw new Error(
      `bcrypt cannot be loaded on this machine (${process.platform} ${process.arch}): install the packages again, with optional dependencies`,
      { cause },
    );
  });
  return loading;
}

/** Why bcrypt cannot be used; `undefined` where it can. */
export async function bcryptFault(): Promise<string | undefined> {
  try {
    await loadBcrypt();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Users from an htpasswd file, groups from an Apache group file.
 *
 * @module
 */
export { htpasswdBackend } from "./backend.ts";
export { type HashQueue, hashQueue } from "./observe/hash-queue.ts";
export type { HtpasswdOptions } from "./options.ts";
export { plugin } from "./plugin.ts";
export { passwordEntry, type SetPasswordOptions, setPassword } from "./set-password.ts";
export { SetPasswordError } from "./set-password-error.ts";

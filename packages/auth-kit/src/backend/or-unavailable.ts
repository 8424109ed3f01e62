import { BackendUnavailableError } from "@registry-gate/auth";

/**
 * Does work that may fail in any way, as a backend may: whatever it throws becomes the one error that a backend throws.
 *
 * @param id The `id` of the backend.
 * @param reason For the log alone. Never holds a secret.
 * @throws {BackendUnavailableError}
 */
export async function orUnavailable<T>(id: string, reason: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BackendUnavailableError ? error : new BackendUnavailableError(id, reason, { cause: error });
  }
}

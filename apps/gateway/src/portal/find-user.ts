import type { AuthBackend } from "@registry-gate/auth";
import type { FoundUser } from "@registry-gate/portal";
import { lookUp } from "../diagnosis/look-up-user.ts";

/** Looks a user up in each backend in turn, as a login would find them. */
export async function findUser(backends: readonly AuthBackend[], username: string): Promise<FoundUser> {
  const notes: string[] = [];
  for (const backend of backends) {
    const { identity, note, failure } = await lookUp(backend, username, true);
    if (identity !== undefined) return { identity, notes: [] };
    if (note !== undefined) notes.push(`${backend.id} ${note}.`);
    if (failure !== undefined) notes.push(`${backend.id} cannot say: ${failure}.`);
  }
  return { identity: undefined, notes };
}

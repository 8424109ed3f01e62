import { randomBytes } from "node:crypto";
import { StepEnd } from "./examination.ts";
import { ExchangeError } from "./exchange.ts";
import { manifestType } from "./image.ts";
import type { Session } from "./session.ts";
import { pullScope, pushScope } from "./trial.ts";

const deleteScope = (repository: string): string => `repository:${repository}:delete`;

/**
 * Whether manifests can be deleted, by one that does not exist: 404 where they can be, 405 where the registry deletes nothing,
 * 403 where the user may not.
 */
export async function canDelete(session: Session, repository: string): Promise<boolean> {
  const { status } = await session.request({
    method: "DELETE",
    path: `/v2/${repository}/manifests/sha256:${randomBytes(32).toString("hex")}`,
    scopes: [deleteScope(repository)],
  });
  return status === 404 || status === 202;
}

/**
 * Deletes a manifest, by which docker-registry removes its tags too, and then the tag if it is still there.
 *
 * @returns what is left behind.
 */
export async function removeManifest(
  session: Session,
  repository: string,
  digest: string,
  tag: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const byDigest = await statusOf(session, "DELETE", `/v2/${repository}/manifests/${digest}`, repository, signal);
  if (tag === undefined) return undefined;
  const path = `/v2/${repository}/manifests/${tag}`;
  const name = `${repository}:${tag}`;
  let there = await statusOf(session, "GET", path, repository, signal);
  if (there === 200) {
    await statusOf(session, "DELETE", path, repository, signal);
    there = await statusOf(session, "GET", path, repository, signal);
  }
  if (there === 404) return undefined;
  return `${name} (deleting it gets ${byDigest ?? "no response"})`;
}

/** A blob without a tag is none that anybody sees: registries collect it as garbage if they do not delete it. */
export async function removeBlob(
  session: Session,
  repository: string,
  digest: string,
  signal: AbortSignal,
): Promise<undefined> {
  await statusOf(session, "DELETE", `/v2/${repository}/blobs/${digest}`, repository, signal);
}

/** Cancels an upload; registries forget one that is not finished. */
export async function removeUpload(
  session: Session,
  repository: string,
  location: string,
  signal: AbortSignal,
): Promise<undefined> {
  await statusOf(session, "DELETE", location, repository, signal);
}

async function statusOf(
  session: Session,
  method: string,
  path: string,
  repository: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const scope = method === "GET" ? pullScope(repository) : deleteScope(repository);
  const scopes = path.includes("/blobs/uploads/") ? [pushScope(repository)] : [scope];
  try {
    const { status } = await session.request({ method, path, scopes, signal, headers: { Accept: manifestType } });
    return status;
  } catch (error) {
    if (error instanceof ExchangeError || error instanceof StepEnd) return undefined;
    throw error;
  }
}

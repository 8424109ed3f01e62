import type { Exchange } from "./exchange.ts";
import type { Content } from "./image.ts";
import { followLocation } from "./location.ts";
import { removeBlob, removeUpload } from "./remove.ts";
import { endBy } from "./response-faults.ts";
import { type Pending, pushScope, type Trial } from "./trial.ts";

/** An upload that has begun. */
export interface Upload {
  /** Path and query of the next request. */
  location: string;
  readonly pending: Pending;
}

/**
 * Begins an upload (OCI Distribution Specification 1.1, section "Pushing blobs").
 *
 * @throws {StepEnd} where that is refused.
 */
export async function beginUpload(trial: Trial): Promise<Upload> {
  const { session, report, repository } = trial;
  const response = await session.request({
    method: "POST",
    path: `/v2/${repository}/blobs/uploads/`,
    scopes: [pushScope(repository)],
    body: "",
  });
  if (response.status !== 202) endBy(report, response, "push");
  return continueUpload(trial, response);
}

async function continueUpload(trial: Trial, response: Exchange): Promise<Upload> {
  const { session, report, repository, cleanUp } = trial;
  const location = await followLocation(report, response, session.base);
  const upload: Upload = {
    location,
    pending: cleanUp.add((signal) => removeUpload(session, repository, upload.location, signal)),
  };
  return upload;
}

/** The whole blob in one request, as containerd and crane send it. */
export async function uploadWhole(trial: Trial, upload: Upload, { digest, bytes }: Content): Promise<void> {
  await finish(trial, upload, digest, bytes);
}

/** The blob in two parts, as docker sends it: one without a length, and one that says where it belongs, as regctl does. */
export async function uploadInChunks(trial: Trial, { digest, bytes }: Content): Promise<void> {
  const upload = await beginUpload(trial);
  const half = Math.ceil(bytes.length / 2);
  await patch(trial, upload, { send: async ({ write }) => write(bytes.subarray(0, half)) });
  const rest = bytes.subarray(half);
  await patch(trial, upload, {
    headers: { "Content-Range": `${half}-${bytes.length - 1}` },
    body: rest,
  });
  await finish(trial, upload, digest, Buffer.alloc(0));
}

type PatchBody = Pick<Parameters<Trial["session"]["request"]>[0], "body" | "send" | "headers" | "timeLimit">;

/** Sends a part of a blob, and gives the response, whatever it is. */
export async function patchOnce({ session, repository }: Trial, upload: Upload, body: PatchBody): Promise<Exchange> {
  return session.request({
    method: "PATCH",
    path: upload.location,
    scopes: [pushScope(repository)],
    ...body,
    headers: { "Content-Type": "application/octet-stream", ...body.headers },
  });
}

/** @throws {StepEnd} where that is refused. */
async function patch(trial: Trial, upload: Upload, body: PatchBody): Promise<void> {
  const { report, session } = trial;
  const response = await patchOnce(trial, upload, body);
  if (response.status !== 202 && response.status !== 204) endBy(report, response, "push");
  upload.location = await followLocation(report, response, session.base);
}

async function finish(trial: Trial, upload: Upload, digest: string, bytes: Buffer): Promise<void> {
  const { session, report, repository, cleanUp } = trial;
  // From before it is there: the response may be lost.
  cleanUp.add((signal) => removeBlob(session, repository, digest, signal));
  const response = await session.request({
    method: "PUT",
    path: `${upload.location}${upload.location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`,
    scopes: [pushScope(repository)],
    headers: { "Content-Type": "application/octet-stream" },
    body: bytes,
  });
  if (response.status !== 201) endBy(report, response, "push");
  upload.pending.forget();
}

/**
 * Mounts a blob of another repository.
 *
 * @returns whether the registry did; otherwise a client uploads the blob.
 */
export async function mountBlob(trial: Trial, source: string, { digest }: Content): Promise<Exchange> {
  const { session, repository, cleanUp } = trial;
  const removal = cleanUp.add((signal) => removeBlob(session, repository, digest, signal));
  const response = await session.request({
    method: "POST",
    path: `/v2/${repository}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(source)}`,
    scopes: [pushScope(repository), `repository:${source}:pull`],
    body: "",
  });
  if (response.status !== 201) removal.forget();
  if (response.status === 202) await continueUpload(trial, response);
  return response;
}

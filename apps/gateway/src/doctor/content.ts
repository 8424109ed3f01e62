import { type Examination, StepEnd } from "./examination.ts";
import { type Exchange, ExchangeError, exchange } from "./exchange.ts";
import { type Content, digestOf, manifestType } from "./image.ts";
import { removeManifest } from "./remove.ts";
import { described, endBy } from "./response-faults.ts";
import { pullScope, pushScope, type Trial } from "./trial.ts";

/** How long a storage may take that a registry redirects to, in milliseconds. */
const redirectLimit = 10_000;

/**
 * Pushes the manifest, with its tag or, without one, by its digest. Nobody has the tag yet: it is unlike any other, and that
 * it is free has been seen before.
 */
export async function pushManifest(trial: Trial, tag: string | undefined): Promise<void> {
  const { session, report, repository, image, cleanUp } = trial;
  const { digest, bytes } = image.manifest;
  cleanUp.add((signal) => removeManifest(session, repository, digest, tag, signal));
  const response = await session.request({
    method: "PUT",
    path: `/v2/${repository}/manifests/${tag ?? digest}`,
    scopes: [pushScope(repository)],
    headers: { "Content-Type": manifestType },
    body: bytes,
  });
  if (response.status !== 201) endBy(report, response, "push");
}

/** A tag that nobody has must be missing, with an error that clients can read. */
export async function requireMissing({ session, report, repository, image }: Trial): Promise<void> {
  const response = await session.request({
    method: "GET",
    path: `/v2/${repository}/manifests/${image.tag}`,
    scopes: [pullScope(repository)],
    headers: { Accept: manifestType },
  });
  if (response.status !== 404) endBy(report, response, "pull");
}

/** Pulls the manifest by digest and by tag, and both blobs, and compares each with what was pushed. */
export async function pullImage(trial: Trial, tag: string | undefined): Promise<void> {
  const { repository, image } = trial;
  const references = [image.manifest.digest, ...(tag === undefined ? [] : [tag])];
  for (const reference of references) {
    await pull(trial, `/v2/${repository}/manifests/${reference}`, image.manifest);
  }
  for (const blob of [image.config, image.layer]) await pull(trial, `/v2/${repository}/blobs/${blob.digest}`, blob);
}

async function pull(trial: Trial, path: string, expected: Content): Promise<void> {
  const { session, report, repository } = trial;
  const response = await session.request({
    method: "GET",
    path,
    scopes: [pullScope(repository)],
    headers: { Accept: manifestType },
  });
  const redirected = response.status === 302 || response.status === 307 || response.status === 308;
  const final = redirected && path.includes("/blobs/") ? await followRedirect(trial, response) : response;
  if (final.status === 404) {
    report("unexpected-response", `${described(final)}, which was pushed a moment ago`);
    throw new StepEnd("what was pushed is not there");
  }
  if (final.status !== 200) endBy(report, final, "pull");
  const found = digestOf(final.body);
  if (found === expected.digest) return;
  report("content-changed", `GET ${path} gets content with the digest ${found}, not ${expected.digest}`);
  throw new StepEnd("content differs");
}

/** To the storage of the registry, without the login. */
async function followRedirect({ session, report }: Trial, { headers, url }: Exchange): Promise<Exchange> {
  const { location = "" } = headers;
  if (!URL.canParse(location, url)) throw new StepEnd("a redirect without Location");
  const target = new URL(location, url);
  const { ca } = session.connection;
  try {
    return await exchange({
      ...{ method: "GET", url: target, timeLimit: redirectLimit },
      connection: ca === undefined ? {} : { ca },
      signal: AbortSignal.timeout(redirectLimit),
    });
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    report("redirect-unreachable", `${target.origin}, where ${url.pathname} redirects to: ${error.message}`);
    throw new StepEnd("the storage cannot be reached");
  }
}

/** Whether the list of tags has the tag. A list that is longer than a page is not read on. */
export async function listTags({ session, report, repository }: Trial, tag: string | undefined): Promise<string> {
  const response = await session.request({
    method: "GET",
    path: `/v2/${repository}/tags/list`,
    scopes: [pullScope(repository)],
  });
  if (response.status === 404 && tag === undefined) return "no tags";
  if (response.status !== 200) endBy(report, response, "pull");
  const tags = readTags(response);
  if (tag === undefined || tags.includes(tag) || response.headers.link !== undefined) return `${tags.length} tags`;
  report("cached", `the list of tags of ${repository} lacks one that was pushed a moment ago`);
  throw new StepEnd("the list of tags is old");
}

function readTags({ body }: Exchange): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    if (typeof parsed !== "object" || parsed === null || !("tags" in parsed) || !Array.isArray(parsed.tags)) return [];
    return parsed.tags.map(String);
  } catch {
    return [];
  }
}

/** Whether the manifest is there without a login. */
export async function isPublic({ session, repository, image }: Trial): Promise<boolean> {
  const { status } = await session.request({
    method: "GET",
    path: `/v2/${repository}/manifests/${image.manifest.digest}`,
    headers: { Accept: manifestType },
    anonymous: true,
  });
  return status === 200;
}

/** What is pulled without a login though that was refused before somebody else pulled it comes from a cache. */
export function reportLeak(report: Examination["report"], repository: string): void {
  report("cached", `a manifest of ${repository} is served without a login since somebody pulled it with one`);
}

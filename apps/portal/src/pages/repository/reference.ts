import { isRepository } from "@registry-gate/core";

/** What an address below `/r/` names: a repository, and perhaps one tag or digest of it. */
export interface Reference {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string | undefined;
}

/** A tag or a digest, of characters that lead to no other place of an address; which of them there are, the gate judges. */
const referencePattern = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|[a-z0-9+._-]+:[A-Za-z0-9=_-]+)$/;

/**
 * Reads `team/app`, `team/app:1.0` and `team/app@sha256:…`, as docker writes them.
 * @returns `undefined` for what can name nothing.
 */
export function readReference(text: string): Reference | undefined {
  const [, repository = text, reference] = /^([^:@]*)[:@](.*)$/s.exec(text) ?? [];
  if (!isRepository(repository)) return undefined;
  return reference === undefined || referencePattern.test(reference) ? { repository, reference } : undefined;
}

/** The reverse of {@link readReference}. */
export function writeReference(repository: string, reference: string): string {
  return `${repository}${reference.includes(":") ? "@" : ":"}${reference}`;
}

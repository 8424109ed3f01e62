/** What an address below `/r/` names: a repository, and perhaps one tag or digest of it. */
export interface Reference {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string | undefined;
}

/** Reads `team/app`, `team/app:1.0` and `team/app@sha256:…`, as docker writes them. */
export function readReference(text: string): Reference {
  const [, repository = text, reference] = /^([^:@]*)[:@](.*)$/s.exec(text) ?? [];
  return { repository, reference };
}

/** The reverse of {@link readReference}. */
export function writeReference(repository: string, reference: string): string {
  return `${repository}${reference.includes(":") ? "@" : ":"}${reference}`;
}

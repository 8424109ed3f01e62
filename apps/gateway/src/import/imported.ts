/** A line of the source that was not carried over, or not as it stands. */
export interface Note {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The directive, without what may be secret. */
  readonly text: string;
  readonly reason: string;
}

/** One rule of `access`. */
export interface ImportedRule {
  readonly effect?: "deny";
  readonly subjects: readonly string[];
  readonly repositories: readonly string[];
  readonly actions: readonly string[];
}

/** Our configuration, as it is written: only what the source says. */
export interface ImportedConfiguration {
  readonly listen: Readonly<Record<string, unknown>>;
  readonly upstream: Readonly<Record<string, unknown>>;
  readonly auth: Readonly<Record<string, unknown>>;
  /** Always there: without it authenticated users could pull and push. */
  readonly access: readonly ImportedRule[];
}

export interface Imported {
  readonly configuration: ImportedConfiguration;
  readonly notes: readonly Note[];
  /** Lines for the head of the file. */
  readonly comments: readonly string[];
  /** Lines of a password file, where the source has users of its own. */
  readonly passwords?: readonly string[];
}

/** A source that cannot be carried over at all. */
export class ImportError extends Error {
  override readonly name = "ImportError";
}

/** The file that a source is read from. */
export interface Source {
  /** As the user names it. */
  readonly name: string;
  /** An absolute path: what relative paths of the source are relative to. */
  readonly directory: string;
  readonly text: string;
}

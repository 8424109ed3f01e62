/** What Debian has. */
export interface DebianProgram {
  readonly debian: readonly [string, ...string[]];
  readonly version: VersionCommand;
}

/** What Go builds once, into the user's cache. */
export interface GoProgram {
  readonly go: (GoModule | GoSource) & {
    /** The oldest Go that builds it, such as `1.26` or `1.26.7`. */
    readonly leastGo: string;
  };
}

/** What `go install` fetches. */
export interface GoModule {
  /** The path of its main package. */
  readonly module: string;
  /** With its `v`. */
  readonly version: string;
}

/** What is in this repository. */
export interface GoSource {
  /** Of its main package and its `go.mod`, relative to the root. */
  readonly directory: string;
}

/** What is had in another way. */
export interface OtherProgram {
  /** How to have it, in words. */
  readonly hint: string;
  readonly version: VersionCommand;
}

/** The command line that prints a version. Some programs print it and fail. */
export type VersionCommand = readonly [program: string, ...parameters: string[]];

/** A program that tests start, or a part of one that can be missing by itself. */
export type Program = (DebianProgram | GoProgram | OtherProgram) & {
  /** Where it is, if it is not looked for by its name on the path. */
  readonly file?: string;
  readonly needsRoot?: true;
  /** Every Debian has it, however small. */
  readonly base?: true;
  /** CI may be without it, because not every machine can have it. */
  readonly optional?: true;
};

import type { CommandResult } from "../support/run.ts";

/** What became of one thing that a client was asked to do. */
export interface Outcome {
  /** What the client's exit code says. */
  readonly ok: boolean;
  /** All that the client said. */
  readonly words: string;
  /** What is to be known of it where it was done. */
  readonly note?: string;
}

/** One person at one machine: the client's logins, settings and content are that person's own. */
export interface ClientUser {
  /** The directory of what the client remembers for that person. */
  readonly home: string;
  login(username: string, password: string): Promise<Outcome>;
  logout(): Promise<Outcome>;
  /** Fetches {@link tag} of a repository, all its content included, also where the client has had it before. */
  pull(repository: string): Promise<Outcome>;
  /** Puts the content that the tests brought at {@link tag} of a repository. */
  push(repository: string): Promise<Outcome>;
  close(): Promise<void>;
}

/** A program that speaks to registries. */
export interface Client {
  readonly name: string;
  /** What it pulls and pushes: not every client takes an image. */
  readonly content: Content;
  /** Somebody who has not logged in. */
  newUser(): Promise<ClientUser>;
}

export type Content = "image" | "file" | "chart";

/** Of everything that is pulled and pushed. Helm takes none but versions. */
export const tag = "1.0.0";

export function outcomeOf({ code, stdout, stderr }: CommandResult): Outcome {
  return { ok: code === 0, words: `${stdout}\n${stderr}`.trim() };
}

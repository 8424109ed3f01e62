import type { Examination } from "./examination.ts";
import type { TrialImage } from "./image.ts";
import type { Session } from "./session.ts";

/** What one examination puts into a registry, and where. */
export interface Trial {
  readonly session: Session;
  readonly report: Examination["report"];
  readonly repository: string;
  readonly image: TrialImage;
  readonly cleanUp: CleanUp;
}

/** What has to be removed again, the last first. */
export interface CleanUp {
  /** @param remove Gives what is left behind; nothing where it is gone, or was never there. */
  add(remove: (signal: AbortSignal) => Promise<string | undefined>): Pending;
  /** Whether anything is left to be removed. */
  pending(): boolean;
  /** Removes everything. Each removal is tried whatever becomes of the others. */
  run(signal: AbortSignal): Promise<readonly string[]>;
}

/** Something that has to be removed. */
export interface Pending {
  /** It is gone already. */
  forget(): void;
}

export function createCleanUp(): CleanUp {
  const removals = new Set<(signal: AbortSignal) => Promise<string | undefined>>();
  return {
    add(remove) {
      removals.add(remove);
      return { forget: () => removals.delete(remove) };
    },
    pending: () => removals.size > 0,
    async run(signal) {
      const left: string[] = [];
      for (const remove of [...removals].reverse()) {
        removals.delete(remove);
        const rest = await remove(signal);
        if (rest !== undefined) left.push(rest);
      }
      return left;
    },
  };
}

/** What a client of the Docker token protocol asks for before a push. */
export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}

export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

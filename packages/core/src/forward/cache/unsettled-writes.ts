import type { ContentChange } from "./content-changes.ts";

/** How long after nobody waits for a write any more the registry may still act on it, in milliseconds. */
const settling = 300_000;

/** Writes whose outcome is not known: what is read meanwhile may be gone, or another, the next moment. */
export interface UnsettledWrites {
  add(change: ContentChange): void;
  /** Whether the registry may still change the resource. */
  concern(repository: string, name: string): boolean;
}

export function unsettledWrites(): UnsettledWrites {
  /** Until when, by repository, and by name or for everything in it. All last equally long: the first ones end first. */
  const ends = new Map<string, number>();

  function keyOf(repository: string, name: string | undefined): string {
    return name === undefined ? repository : `${repository} ${name}`;
  }

  function lasts(key: string): boolean {
    const end = ends.get(key);
    return end !== undefined && performance.now() < end;
  }

  return {
    add({ repository, names }) {
      const now = performance.now();
      for (const [key, end] of ends) {
        if (now < end) break;
        ends.delete(key);
      }
      for (const name of names ?? [undefined]) {
        const key = keyOf(repository, name);
        ends.delete(key);
        ends.set(key, now + settling);
      }
    },
    concern: (repository, name) =>
      ends.size > 0 && (lasts(keyOf(repository, undefined)) || lasts(keyOf(repository, name))),
  };
}

import type { SharedState } from "@registry-gate/auth";

/** The state store of a portal: a store of `@registry-gate/state`, which replicas share. */
export interface PortalState extends SharedState {
  /**
   * Keeps an entry for at least `ttl` milliseconds from now.
   *
   * @returns whether there is one.
   */
  extend(key: string, ttl: number): Promise<boolean>;
}

import { type AuthBackend, type Fault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { containmentOf } from "@registry-gate/auth-kit";
import type { BackendConfiguration } from "../config/sections/auth.ts";
import { endsWithin } from "../ends-within.ts";
import { type BackendPlace, openBackend } from "./open-backend.ts";

/** The backends that could be opened, in order, and the faults of the others. */
export interface OpenedBackends {
  readonly backends: readonly AuthBackend[];
  /** With paths from the root of the configuration. */
  readonly faults: readonly Fault[];
}

/** Opens every backend of a configuration, whatever is wrong with others. */
export async function openBackends(
  configurations: readonly BackendConfiguration[],
  surroundings: Omit<BackendPlace, "index" | "id" | "sibling">,
): Promise<OpenedBackends> {
  const backends: AuthBackend[] = [];
  const faults: Fault[] = [];
  const ids = idsOf(configurations);
  const sibling = (id: string): AuthBackend | undefined => backends.find((backend) => backend.id === id);
  for (const [index, configuration] of configurations.entries()) {
    const id = ids[index] ?? configuration.type;
    try {
      backends.push(await openBackend(configuration, { index, id, ...surroundings, sibling }));
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      faults.push(...error.faults);
    }
  }
  return { backends, faults };
}

/** How long a backend may take to close, in milliseconds. */
const closeTimeLimit = 1000;

/** Closes the backends. One that does not close in time is given up, so that the rest can be released. */
export async function closeBackends(backends: readonly AuthBackend[], log: Logger): Promise<void> {
  const report = (backend: AuthBackend) => (error: unknown) =>
    log.error({ backend: backend.id, err: error }, "a backend threw an error that nobody caught");
  const close = (backend: AuthBackend): Promise<void> =>
    containmentOf(backend, report(backend)).runShared(async () => backend.close?.());
  await Promise.all(
    backends.map(async (backend) => {
      try {
        if (!(await endsWithin(closeTimeLimit, close(backend))))
          log.warn({}, `backend ${backend.id} did not close in time`);
      } catch (error) {
        log.warn({ err: error }, `backend ${backend.id} could not be closed`);
      }
    }),
  );
}

/** A backend is called by its type; the second of a type by `type-2`. */
export function idsOf(backends: readonly BackendConfiguration[]): string[] {
  const taken = new Map<string, number>();
  return backends.map(({ type, id = type }) => {
    const count = (taken.get(id) ?? 0) + 1;
    taken.set(id, count);
    return count === 1 ? id : `${id}-${count}`;
  });
}

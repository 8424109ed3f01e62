import { type Fault, InvalidOptionsError } from "@registry-gate/auth";

/** What is opened: `undefined` where an option leaves it out. */
type Opened = { close(): unknown } | undefined;

/**
 * Waits for everything that a backend opens at the start, so that every fault is reported. Where one cannot be opened, those that could
 * are closed again.
 *
 * @throws {InvalidOptionsError} with the faults of all; any other error as it is.
 */
export async function openAll<const T extends readonly Opened[]>(
  opening: { readonly [Index in keyof T]: Promise<T[Index]> | T[Index] },
): Promise<T> {
  const outcomes = await Promise.allSettled(opening);
  const reasons: unknown[] = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  if (reasons.length === 0) return Promise.all(opening);
  for (const outcome of outcomes) if (outcome.status === "fulfilled") outcome.value?.close();
  const faults = reasons.flatMap((reason): readonly Fault[] => {
    if (reason instanceof InvalidOptionsError) return reason.faults;
    throw reason;
  });
  throw new InvalidOptionsError(faults, { cause: reasons[0] });
}

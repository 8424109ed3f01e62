import { type Fault, formatFault, InvalidOptionsError } from "@registry-gate/auth";
import { ChannelError } from "./channel.ts";
import type { WorkerProcess } from "./supervisor.ts";
import { type Accepted, abort, commit, type Place, prepare } from "./topics.ts";

/** How long building a gate may take: each of its backends has ten seconds. In milliseconds. */
const prepareLimit = 60_000;

/** What every worker has prepared. One of the two is called, once. */
export interface Rollout {
  /**
   * Puts it in force everywhere. A worker that cannot is killed: the one in its place begins with what is in force then.
   *
   * @returns where they listen; `undefined` where none is left.
   */
  commit(): Promise<(Place & { readonly anew: boolean }) | undefined>;
  abort(): Promise<void>;
}

/**
 * The first of two phases: every worker builds what is new and changes nothing. One that dies meanwhile does not count: the
 * one in its place begins with what is in force then. So do all where none runs, because none can start: what they begin with
 * then is what mends that.
 *
 * @throws {InvalidOptionsError} with the faults of all, each once; then nothing has changed anywhere.
 * @throws {ChannelError} where a worker has not prepared for another reason; then nothing has changed anywhere.
 */
export async function prepareRollout(workers: readonly WorkerProcess[], next: Accepted): Promise<Rollout> {
  const faults = new Map<string, Fault>();
  let failure: unknown;
  const asked = await Promise.all(
    workers.map(async (worker) => {
      try {
        const outcome = await worker.channel.ask(prepare, next, prepareLimit);
        for (const fault of outcome.faults) faults.set(formatFault(fault), fault);
        return [worker];
      } catch (error) {
        if (error instanceof ChannelError && error.reason === "closed") return [];
        failure ??= error;
        return [worker];
      }
    }),
  );
  const prepared = asked.flat();

  const rollout: Rollout = {
    async commit() {
      const places = await Promise.all(
        prepared.map((worker) =>
          worker.channel.ask(commit, null).catch(() => {
            worker.kill();
            return undefined;
          }),
        ),
      );
      return places.find((place) => place !== undefined);
    },
    async abort() {
      await Promise.all(
        prepared.map((worker) =>
          worker.channel.ask(abort, null).catch(() => {
            worker.kill();
          }),
        ),
      );
    },
  };
  if (faults.size === 0 && failure === undefined) return rollout;
  await rollout.abort();
  if (faults.size > 0) throw new InvalidOptionsError([...faults.values()]);
  throw failure;
}

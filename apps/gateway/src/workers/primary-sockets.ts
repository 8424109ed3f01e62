import { isDeepStrictEqual } from "node:util";
import { type ReservedUnixSocket, reserveUnixSocket, type UnixSocketFile } from "../listener/unix-socket.ts";
import type { UnixPlace } from "./topics.ts";

/** The Unix sockets of all workers: the primary makes their files, and the workers listen on them. */
export interface PrimarySockets {
  /**
   * Says where a worker has to listen. Nobody can connect there before {@link PrimarySockets.place}.
   *
   * @param inUse Whether another worker listens on the socket that is in place.
   * @throws {InvalidOptionsError} with paths below `listen`.
   */
  reserve(place: UnixPlace, inUse: boolean): Promise<string>;
  /**
   * Moves what was reserved to its path, if anything was.
   *
   * @throws {InvalidOptionsError} with paths below `listen`; then what was there before is still there.
   */
  place(): Promise<void>;
  /** Gives up what was reserved. */
  abandon(): Promise<void>;
  /** Takes away the file of a path that is listened on no more. */
  leave(): void;
}

interface Pending {
  readonly place: UnixPlace;
  readonly reserved: Promise<ReservedUnixSocket>;
  /** Set while it is moved to its path: until that is done, it is still what workers that start have to listen on. */
  placed?: Promise<void>;
}

interface Current {
  readonly place: UnixPlace;
  readonly temporary: string;
  readonly file: UnixSocketFile;
}

export function primarySockets(): PrimarySockets {
  let current: Current | undefined;
  let pending: Pending | undefined;

  async function abandon(): Promise<void> {
    const given = pending;
    pending = undefined;
    const reserved = await given?.reserved.catch(() => undefined);
    await reserved?.release();
  }

  async function finish({ place, reserved }: Pending): Promise<void> {
    const { temporary, place: put, release } = await reserved;
    try {
      const file = await put();
      if (current !== undefined && current.place.path !== place.path) current.file.remove();
      current = { place, temporary, file };
    } finally {
      await release();
    }
  }

  return {
    async reserve(place, inUse) {
      if (place.starting && inUse && current !== undefined && samePlace(current.place, place)) return current.temporary;
      if (pending !== undefined && !samePlace(pending.place, place)) await abandon();
      const { path, mode, group, shared } = place;
      pending ??= {
        place,
        reserved: reserveUnixSocket(
          { path, mode: mode ?? undefined, group: group ?? undefined, shared },
          current?.file,
        ),
      };
      const { reserved } = pending;
      try {
        return (await reserved).temporary;
      } catch (error) {
        pending = undefined;
        throw error;
      }
    },
    async place() {
      const given = pending;
      if (given === undefined) return;
      given.placed ??= finish(given).finally(() => {
        if (pending === given) pending = undefined;
      });
      await given.placed;
    },
    abandon,
    leave() {
      current?.file.remove();
      current = undefined;
    },
  };
}

function samePlace({ starting: _one, ...one }: UnixPlace, { starting: _other, ...other }: UnixPlace): boolean {
  return isDeepStrictEqual(one, other);
}

import { InvalidOptionsError } from "@registry-gate/auth";
import { findInheritedSocket } from "../listener/inherited-socket.ts";
import type { SocketSource } from "../listener/socket-source.ts";
import { listenAt } from "../listener/unix-socket.ts";
import type { Channel } from "./channel.ts";
import { reserveSocket } from "./topics.ts";

/**
 * Sockets as a worker has them: `node:cluster` opens each in the primary, once for all workers. A descriptor is the primary's,
 * and so is the file of a Unix socket: the primary puts it in place and takes it away.
 *
 * One worker after the other gives an address up and asks for it again: what the second gets is what the first has still or
 * has again, and where Node takes both for one it ends the process with `ERR_INTERNAL_ASSERTION`, in all workers at once.
 */
export function workerSockets(channel: Channel, starting: () => boolean): SocketSource {
  return {
    reopens: false,
    siblings: true,
    async unix(server, { path, mode = null, group = null, shared }) {
      const place = { path, mode, group, shared, starting: starting() };
      const { temporary, faults } = await channel.ask(reserveSocket, place);
      if (faults.length > 0) throw new InvalidOptionsError(faults);
      await listenAt(server, temporary, path);
      return { isInPlace: () => true, remove() {} };
    },
    inherited: (name) => findInheritedSocket(name, process.env, process.ppid),
  };
}

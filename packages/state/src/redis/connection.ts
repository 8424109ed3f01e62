import { untilAborted } from "@registry-gate/auth-kit";
import { StateUnavailableError } from "../state-unavailable-error.ts";

/** What a command responds: text, a number, nothing, or a list of these. */
export type RedisReply = unknown;

/** A connection to a Redis server, made when it is needed and anew after it was lost. */
export interface RedisConnection {
  /**
   * Sends a command once.
   *
   * @param signal Its abort ends the waiting.
   * @throws {StateUnavailableError} within 2 seconds; the command may have been carried out all the same.
   */
  send(command: readonly string[], signal?: AbortSignal): Promise<RedisReply>;
  close(): void;
}

/** How long a command may take, connecting included, in milliseconds. */
const patience = 1500;
/** For how long nobody tries to connect after a failure, in milliseconds. */
const pause = 250;
/** How many commands may wait for a response. */
const mostInFlight = 10_000;

type Send = (command: readonly string[]) => Promise<RedisReply>;

/** One connection, from the attempt to make it to its end. */
interface Session {
  readonly ready: Promise<Send>;
  /** Ends it at once, also while it is being made. */
  end(): void;
}

/**
 * Reconnects when the next command is sent: there is no queue of commands for a server that is away, and no timer.
 *
 * @param url `redis://` or `rediss://`; user and password in it percent-encoded.
 */
export function redisConnection(url: string): RedisConnection {
  let session: Session | undefined;
  let refusal: { readonly error: StateUnavailableError; readonly until: number } | undefined;
  let inFlight = 0;
  let closed = false;

  function leave(left: Session, error: StateUnavailableError): void {
    left.end();
    if (session !== left) return;
    session = undefined;
    refusal = { error, until: performance.now() + pause };
  }

  function join(): Session {
    if (session !== undefined) return session;
    const begun = beginSession(url, () => {
      if (session === begun) session = undefined;
    });
    session = begun;
    return begun;
  }

  async function send(command: readonly string[], signal?: AbortSignal): Promise<RedisReply> {
    if (closed) throw new StateUnavailableError("it is closed");
    if (refusal !== undefined && performance.now() < refusal.until) throw refusal.error;
    if (inFlight >= mostInFlight) throw new StateUnavailableError("too many commands wait for Redis");
    const used = join();
    const deadline = AbortSignal.timeout(patience);
    const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    let connected = false;
    inFlight++;
    try {
      const reply = used.ready.then((sendNow) => {
        connected = true;
        return sendNow(command);
      });
      return await untilAborted(reply, either);
    } catch (error) {
      const unavailable = unavailableBy(error, deadline.aborted);
      // An error of the server's own, such as that of a script, says nothing against the connection.
      if (deadline.aborted || (!connected && signal?.aborted !== true)) leave(used, unavailable);
      throw unavailable;
    } finally {
      inFlight--;
    }
  }

  return {
    send,
    close() {
      closed = true;
      session?.end();
      session = undefined;
    },
  };
}

function beginSession(url: string, onEnd: () => void): Session {
  let ended = false;
  let destroy = (): void => {};

  async function connect(): Promise<Send> {
    // Only who uses Redis pays for the library.
    const { createClient } = await import("@redis/client");
    const client = createClient({
      url,
      disableOfflineQueue: true,
      socket: { connectTimeout: patience, reconnectStrategy: false },
    });
    destroy = () => {
      try {
        client.destroy();
      } catch {
        // It was not open.
      }
    };
    if (ended) throw new Error("closed meanwhile");
    client.on("error", () => {
      destroy();
      onEnd();
    });
    client.on("end", onEnd);
    await client.connect();
    return (command) => client.sendCommand([...command]);
  }

  const ready = connect();
  // Who waited for it may have given up.
  ready.catch(() => {});
  return {
    ready,
    end() {
      ended = true;
      destroy();
    },
  };
}

function unavailableBy(error: unknown, late: boolean): StateUnavailableError {
  const reason = late ? `Redis does not respond within ${patience} ms` : `Redis: ${reasonOf(error)}`;
  return new StateUnavailableError(reason, { cause: error });
}

/** The errors of several addresses of a name come as one without a message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error && error.message !== "" ? error.message : "unknown error";
}

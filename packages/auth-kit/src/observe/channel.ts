import { channel as sharedChannel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { errorContainment } from "../backend/error-containment.ts";
import type { ChannelName } from "./channel-names.ts";

/** A channel of `node:diagnostics_channel`, all of whose messages have one form. */
export interface Channel<Message extends object> {
  readonly name: ChannelName;
  readonly hasSubscribers: boolean;
  /**
   * Calls `build` and gives everybody who has subscribed what it returns, frozen. Does nothing where nobody has. Never throws.
   * A message must hold no password, no token and nothing else that is secret.
   */
  publish(build: () => Message): void;
  /**
   * Calls `listener` with each message from now on, before the work that it is about goes on: a listener must be quick. What it
   * throws, or rejects with, is a warning of the process.
   *
   * @returns a function that ends the subscription.
   */
  subscribe(listener: (message: Message) => unknown): () => void;
}

/** How often a channel warns of listeners that fail, in milliseconds. */
const warningInterval = 1000;

/**
 * Opens a channel. Whoever opens one of the same name has the same, also where another copy of this package opens it.
 *
 * A listener that was added by `subscribe` of `node:diagnostics_channel` may throw: Node then raises an uncaught exception, in
 * the context of the call to `publish` (https://nodejs.org/api/diagnostics_channel.html). That context is of this channel and of
 * no login, and `claimUncaught` makes a warning of it.
 */
export function openChannel<Message extends object>(name: ChannelName): Channel<Message> {
  const channel = sharedChannel(name);
  let warnedAt = Number.NEGATIVE_INFINITY;
  const warn = (error: unknown): void => {
    const now = performance.now();
    if (now - warnedAt < warningInterval) return;
    warnedAt = now;
    process.emitWarning(`a subscriber of ${name} failed`, { type: "ObserverWarning", detail: describe(error) });
  };
  const containment = errorContainment(warn);

  return {
    name,
    get hasSubscribers() {
      return channel.hasSubscribers;
    },
    publish(build) {
      if (!channel.hasSubscribers) return;
      try {
        containment.runShared(() => channel.publish(Object.freeze(build())));
      } catch (error) {
        warn(error);
      }
    },
    subscribe(listener) {
      const receive = (message: unknown): void => {
        try {
          // By its name the channel is ours: nobody else publishes on it.
          const result = listener(message as Message);
          if (result instanceof Promise) result.catch(warn);
        } catch (error) {
          warn(error);
        }
      };
      subscribe(name, receive);
      return () => void unsubscribe(name, receive);
    },
  };
}

/**
 * Listens to a channel of a package that need not be loaded, nor be loaded ever: as {@link Channel.subscribe} of the channel
 * that the package opens.
 *
 * @returns a function that ends the subscription.
 */
export function subscribeByName<Message extends object>(
  name: ChannelName,
  listener: (message: Message) => unknown,
): () => void {
  return openChannel<Message>(name).subscribe(listener);
}

/** A thrown value may throw again when it is read. */
function describe(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return "an error that cannot be read";
  }
}

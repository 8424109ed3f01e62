import { z } from "zod";
import { oneLine } from "../one-line.ts";
import type { Topic } from "./topic.ts";

/** What messages travel by: a pipe between two processes, in order and without loss while both live. */
export interface MessagePort {
  /** @param failed Called where the message cannot be sent. */
  send(message: object, failed: (error: Error) => void): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, when the other end is gone. */
  onClose(listener: () => void): void;
}

/** A question that has no reply. The other end may have acted on it all the same. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  /** `closed`: the other end is gone. `failed`: it has refused; the message says why. */
  readonly reason: "closed" | "timeout" | "full" | "failed";

  constructor(reason: ChannelError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** One end of a connection between the primary and a worker, over which both ask and both reply. */
export interface Channel {
  /** Whether the other end is gone. */
  readonly closed: boolean;
  /**
   * Asks the other end.
   *
   * @param timeLimit In milliseconds. Default 10 000.
   * @throws {ChannelError} where there is no reply.
   */
  ask<Request, Reply>(topic: Topic<Request, Reply>, request: Request, timeLimit?: number): Promise<Reply>;
  /** Tells the other end and waits for nothing. What cannot be sent is lost. */
  tell<Request>(topic: Topic<Request, null>, request: Request): void;
  /**
   * Says what replies to a topic. One handler a topic; what it throws becomes the asker's {@link ChannelError}. What came
   * before waits for it.
   */
  reply<Request, Reply>(topic: Topic<Request, Reply>, handler: (request: Request) => Reply | Promise<Reply>): void;
  /** Calls a listener as soon as the other end is gone. */
  onClose(listener: () => void): void;
  /** Resolves when no question of this end waits for a reply. */
  settled(): Promise<void>;
}

const envelope = z.discriminatedUnion("gate", [
  z.object({ gate: z.literal("ask"), id: z.int(), topic: z.string(), body: z.unknown() }),
  z.object({ gate: z.literal("tell"), topic: z.string(), body: z.unknown() }),
  z.object({ gate: z.literal("reply"), id: z.int(), body: z.unknown() }),
  z.object({ gate: z.literal("failure"), id: z.int(), message: z.string() }),
]);

type Envelope = z.infer<typeof envelope>;

interface Waiting {
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: ChannelError) => void;
}

/** How many questions may wait for a reply at a time: far more than a gate in order ever asks. */
const mostWaiting = 10_000;
const defaultTimeLimit = 10_000;

/** Opens one end of a channel. Messages that are not of a channel are left alone. */
export function openChannel(port: MessagePort): Channel {
  const waiting = new Map<number, Waiting>();
  const handlers = new Map<string, (body: unknown) => Promise<unknown>>();
  /** What came for topics that have no handler yet. */
  let early: { readonly name: string; readonly act: () => void }[] = [];
  const closeListeners = new Set<() => void>();
  const settledListeners = new Set<() => void>();
  let nextId = 1;
  let closed = false;

  function post(message: Envelope, failed: (error: Error) => void = () => {}): void {
    if (closed) failed(new Error("closed"));
    else port.send(message, failed);
  }

  async function replyTo(id: number, name: string, body: unknown): Promise<void> {
    try {
      post({ gate: "reply", id, body: await handlerOf(name)(body) });
    } catch (error) {
      post({ gate: "failure", id, message: oneLine(error) });
    }
  }

  function handlerOf(name: string): (body: unknown) => Promise<unknown> {
    const handler = handlers.get(name);
    if (handler === undefined) throw new Error(`nothing replies to ${name}`);
    return handler;
  }

  function take(data: Envelope): void {
    switch (data.gate) {
      case "ask":
        return void replyTo(data.id, data.topic, data.body);
      case "tell":
        // Whoever only tells does not hear of a failure either.
        return void handlerOf(data.topic)(data.body).catch(() => {});
      case "reply":
        return void waiting.get(data.id)?.resolve(data.body);
      case "failure":
        return void waiting.get(data.id)?.reject(new ChannelError("failed", data.message));
    }
  }

  port.onMessage((message) => {
    const { data } = envelope.safeParse(message);
    if (data === undefined) return;
    if (!("topic" in data) || handlers.has(data.topic)) return take(data);
    if (early.length < mostWaiting) early.push({ name: data.topic, act: () => take(data) });
  });
  port.onClose(() => {
    closed = true;
    for (const { reject } of [...waiting.values()]) reject(gone());
    for (const listener of closeListeners) listener();
  });

  return {
    get closed() {
      return closed;
    },
    async ask(topic, request, timeLimit = defaultTimeLimit) {
      if (closed) throw gone();
      if (waiting.size >= mostWaiting)
        throw new ChannelError("full", `too many messages wait for a reply to ${topic.name}`);
      const id = nextId++;
      let timer: NodeJS.Timeout | undefined;
      try {
        const body = await new Promise<unknown>((resolve, reject) => {
          waiting.set(id, { resolve, reject });
          timer = setTimeout(() => {
            reject(new ChannelError("timeout", `no reply to ${topic.name} within ${timeLimit} ms`));
          }, timeLimit);
          post({ gate: "ask", id, topic: topic.name, body: request }, (cause) => {
            reject(new ChannelError("closed", `${topic.name} cannot be sent`, { cause }));
          });
        });
        const { data, error } = topic.reply.safeParse(body);
        if (error !== undefined)
          throw new ChannelError("failed", `unexpected reply to ${topic.name}`, { cause: error });
        return data;
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
        if (waiting.size === 0) for (const listener of settledListeners) listener();
      }
    },
    tell: (topic, request) => post({ gate: "tell", topic: topic.name, body: request }),
    reply(topic, handler) {
      if (handlers.has(topic.name)) throw new TypeError(`${topic.name} has a handler already`);
      handlers.set(topic.name, async (body) => handler(topic.request.parse(body)));
      const waited = early;
      early = [];
      // What is for another topic waits on.
      for (const { name, act } of waited) {
        if (handlers.has(name)) act();
        else early.push({ name, act });
      }
    },
    onClose(listener) {
      if (closed) listener();
      else closeListeners.add(listener);
    },
    async settled() {
      if (waiting.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      settledListeners.add(resolve);
      await promise;
      settledListeners.delete(resolve);
    },
  };
}

function gone(): ChannelError {
  return new ChannelError("closed", "the other process is gone");
}

import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Channel, ChannelError, type MessagePort, openChannel } from "../../src/workers/channel.ts";
import { nothing, topic } from "../../src/workers/topic.ts";

const double = topic("test/double", z.object({ number: z.number() }), z.number());
const note = topic("test/note", z.string(), nothing);

interface Ends {
  readonly primary: Channel;
  readonly worker: Channel;
  /** Ends the connection, as the death of a process does. */
  cut(): void;
  /** Sends something that no channel has sent. */
  inject(message: unknown): void;
}

/** Two ends whose messages travel as JSON text, as they do between processes. */
function connected(): Ends {
  const listeners: [Set<(message: unknown) => void>, Set<(message: unknown) => void>] = [new Set(), new Set()];
  const closing = new Set<() => void>();
  let open = true;
  const port = (own: 0 | 1): MessagePort => ({
    send(message, failed) {
      const text = JSON.stringify(message);
      setImmediate(() => {
        if (!open) return failed(new Error("cut"));
        for (const listener of listeners[own === 0 ? 1 : 0]) listener(JSON.parse(text));
      });
    },
    onMessage: (listener) => void listeners[own].add(listener),
    onClose: (listener) => void closing.add(listener),
  });
  return {
    primary: openChannel(port(0)),
    worker: openChannel(port(1)),
    cut() {
      open = false;
      for (const listener of closing) listener();
    },
    inject(message) {
      for (const listener of listeners[0]) listener(message);
    },
  };
}

test("is settled when every question has its reply, or none can come", async () => {
  const { primary, worker, cut } = connected();
  await worker.settled();
  const release = Promise.withResolvers<void>();
  const done: string[] = [];
  primary.reply(double, async ({ number }) => {
    await release.promise;
    done.push("replied");
    return 2 * number;
  });
  const asked = worker.ask(double, { number: 1 });
  const settled = worker.settled().then(() => void done.push("settled"));
  await delay(20);
  release.resolve();
  await Promise.all([asked, settled]);
  expect(done).toEqual(["replied", "settled"]);
  primary.reply(note, () => new Promise(() => {}));
  const lost = worker.ask(note, "lost").catch(() => {});
  const given = worker.settled();
  cut();
  await Promise.all([lost, given]);
});

test("each end asks the other, and gets the reply to its own question", async () => {
  const { primary, worker } = connected();
  primary.reply(double, async ({ number }) => {
    await delay(number === 1 ? 20 : 0);
    return 2 * number;
  });
  worker.reply(double, ({ number }) => -2 * number);
  expect(await Promise.all([1, 2, 3].map((number) => worker.ask(double, { number })))).toEqual([2, 4, 6]);
  expect(await primary.ask(double, { number: 5 })).toBe(-10);
});

test("tells without waiting, in order", async () => {
  const { primary, worker } = connected();
  const heard: string[] = [];
  primary.reply(note, (text) => {
    heard.push(text);
    return null;
  });
  for (const text of ["a", "b", "c"]) worker.tell(note, text);
  await expect.poll(() => heard).toEqual(["a", "b", "c"]);
});

test("rejects with the message of what the other end has thrown", async () => {
  const { primary, worker } = connected();
  primary.reply(double, () => {
    throw new RangeError("too large");
  });
  await expect(worker.ask(double, { number: 1 })).rejects.toMatchObject({ reason: "failed", message: "too large" });
});

test("what comes before there is a handler waits for it, in order", async () => {
  const { primary, worker } = connected();
  for (const text of ["a", "b"]) primary.tell(note, text);
  const asked = primary.ask(double, { number: 1 });
  await delay(20);
  const heard: string[] = [];
  worker.reply(note, (text) => {
    heard.push(text);
    return null;
  });
  await delay(20);
  worker.reply(double, ({ number }) => 2 * number);
  expect([await asked, heard]).toEqual([2, ["a", "b"]]);
});

test("rejects a reply and a question of another form", async () => {
  const { primary, worker } = connected();
  const text = topic("test/double", z.string(), z.string());
  primary.reply(double, ({ number }) => number);
  await expect(worker.ask(text, "one")).rejects.toBeInstanceOf(ChannelError);
  const wrong = topic("test/double", z.object({ number: z.number() }), z.string());
  await expect(worker.ask(wrong, { number: 1 })).rejects.toMatchObject({ message: "unexpected reply to test/double" });
});

test("rejects when no reply comes in time, and ignores one that comes later", async () => {
  const { primary, worker } = connected();
  const { promise, resolve } = Promise.withResolvers<number>();
  primary.reply(double, () => promise);
  await expect(worker.ask(double, { number: 1 }, 20)).rejects.toMatchObject({ reason: "timeout" });
  resolve(2);
  await delay(20);
  expect(worker.closed).toBe(false);
});

test("rejects every question in progress when the other end is gone, and each later one", async () => {
  const { primary, worker, cut } = connected();
  primary.reply(double, () => new Promise<number>(() => {}));
  const asked = [1, 2].map((number) => worker.ask(double, { number }));
  let heard = false;
  worker.onClose(() => {
    heard = true;
  });
  cut();
  for (const each of asked) await expect(each).rejects.toMatchObject({ reason: "closed" });
  await expect(worker.ask(double, { number: 3 })).rejects.toMatchObject({ reason: "closed" });
  expect([heard, worker.closed]).toEqual([true, true]);
});

test("leaves alone what is not of a channel", async () => {
  const { primary, worker, inject } = connected();
  for (const message of [null, "text", { gate: "other" }, { gate: "reply", id: 99, body: 1 }, { act: "online" }]) {
    inject(message);
  }
  worker.reply(double, ({ number }) => 2 * number);
  expect(await primary.ask(double, { number: 4 })).toBe(8);
});

test("rejects a second handler of a topic", () => {
  const { primary } = connected();
  primary.reply(note, () => null);
  expect(() => primary.reply(note, () => null)).toThrow("test/note has a handler already");
});

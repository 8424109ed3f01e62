import { execFile } from "node:child_process";
import { channel as nodeChannel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type FileReload, fairQueue, openChannel, type QueueEvent } from "../src/index.ts";

const name = "registry-gate:file:reload";
const message: FileReload = { files: ["/etc/users"], outcome: "reloaded" };

/** What the process warns of until the end of the test. */
function warnings(): readonly (readonly [string, string])[] {
  const heard: [string, string][] = [];
  const hear = (warning: Error): void => {
    if (warning.name === "ObserverWarning")
      heard.push([warning.message, "detail" in warning ? String(warning.detail) : ""]);
  };
  process.on("warning", hear);
  onTestFinished(() => void process.off("warning", hear));
  return heard;
}

describe("a channel", () => {
  test("makes no message without subscribers", () => {
    const channel = openChannel<FileReload>(name);
    const build = vi.fn(() => message);
    channel.publish(build);
    const end = channel.subscribe(() => {});
    expect(channel.hasSubscribers).toBe(true);
    end();
    expect(channel.hasSubscribers).toBe(false);
    channel.publish(build);
    expect(build).not.toHaveBeenCalled();
  });

  test("gives every subscriber the same message, which nobody can change", () => {
    const channel = openChannel<FileReload>(name);
    const heard: unknown[] = [];
    const raw = (given: unknown): void => void heard.push(given);
    subscribe(name, raw);
    onTestFinished(() => void unsubscribe(name, raw));
    onTestFinished(channel.subscribe((given) => void heard.push(given)));
    channel.publish(() => ({ ...message }));
    expect(heard).toEqual([message, message]);
    expect(heard[0]).toBe(heard[1]);
    expect(Object.isFrozen(heard[0])).toBe(true);
  });

  test("is the channel of that name in node:diagnostics_channel", () => {
    onTestFinished(openChannel<FileReload>(name).subscribe(() => {}));
    expect(nodeChannel(name).hasSubscribers).toBe(true);
  });

  test("warns of subscribers that throw or reject, once a second, and serves all others", async () => {
    const heard = warnings();
    const channel = openChannel<FileReload>(name);
    const others: FileReload[] = [];
    onTestFinished(
      channel.subscribe(() => {
        throw new Error("thrown");
      }),
    );
    onTestFinished(channel.subscribe(() => Promise.reject(new Error("rejected"))));
    onTestFinished(channel.subscribe((given) => others.push(given)));
    channel.publish(() => message);
    channel.publish(() => message);
    await expect.poll(() => heard.length).toBeGreaterThan(0);
    expect(others).toHaveLength(2);
    expect(heard).toEqual([[`a subscriber of ${name} failed`, expect.stringContaining("thrown")]]);
  });

  test("warns of a subscriber whose promise rejects", async () => {
    const heard = warnings();
    const channel = openChannel<FileReload>(name);
    onTestFinished(channel.subscribe(() => Promise.reject(new Error("rejected"))));
    channel.publish(() => message);
    await expect.poll(() => heard.length).toBeGreaterThan(0);
    expect(heard).toEqual([[`a subscriber of ${name} failed`, expect.stringContaining("rejected")]]);
  });

  test("does not throw where a message cannot be made", async () => {
    const heard = warnings();
    const channel = openChannel<FileReload>(name);
    onTestFinished(channel.subscribe(() => {}));
    channel.publish(() => {
      throw new Error("cannot be made");
    });
    await expect.poll(() => heard.length).toBeGreaterThan(0);
    expect(heard).toEqual([[expect.any(String), expect.stringContaining("cannot be made")]]);
  });
});

/** Runs a program in a process of its own: the test runner listens for uncaught errors itself. */
function run(program: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const source = `
    import { subscribe } from "node:diagnostics_channel";
    import { errorContainment, fileReload, guardProcess } from "@registry-gate/auth-kit";
    const backend = errorContainment((error) => console.log("blamed on the backend:", error.message));
    const publish = () => fileReload.publish(() => ({ files: [], outcome: "reloaded" }));
    ${program}`;
  const parameters = ["--conditions=development", "--input-type=module", "--eval", source];
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { cwd }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

describe("a subscriber that node:diagnostics_channel has added", () => {
  test.each([
    ["throws", `() => { throw new Error("of the subscriber"); }`],
    ["throws later", `() => void setTimeout(() => { throw new Error("of the subscriber"); })`],
    ["rejects", `async () => { throw new Error("of the subscriber"); }`],
  ])("and %s fails no login and does not end a process that is guarded", async (_, subscriber) => {
    const { code, stdout, stderr } = await run(`guardProcess(); subscribe("${name}", ${subscriber});
      const login = backend.run(async () => { publish(); await new Promise((resolve) => setTimeout(resolve, 50)); return "signed in"; });
      console.log(await login);`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "signed in\n" });
    expect(stderr).toContain(`ObserverWarning: a subscriber of ${name} failed`);
    expect(stderr).toContain("of the subscriber");
  });

  test("and throws ends a process that is not guarded, as Node says", async () => {
    const { code, stderr } = await run(
      `subscribe("${name}", () => { throw new Error("of the subscriber"); }); publish();`,
    );
    expect(code).not.toBe(0);
    expect(stderr).toContain("of the subscriber");
  });
});

describe("a queue that is observed", () => {
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  function observed(options: { readonly maxWaiting: number; readonly timeout?: number }) {
    const events: QueueEvent[] = [];
    const queue = fairQueue({ concurrency: 1, ...options, observe: (build) => void events.push(build()) });
    const refusals: string[] = [];
    const acquire = (key: string, signal?: AbortSignal) =>
      queue.acquire(key, signal).catch((error: unknown) => void refusals.push(String(error)));
    return { queue, events, acquire };
  }

  test("says who waits and who gets a slot, with how full it is then", async () => {
    const { queue, events, acquire } = observed({ maxWaiting: 2 });
    const release = queue.tryAcquire();
    void acquire("a");
    void acquire("b");
    release?.();
    await settled();
    expect(events).toEqual([
      { event: "waiting", waiting: 1, inUse: 1 },
      { event: "waiting", waiting: 2, inUse: 1 },
      { event: "granted", milliseconds: expect.any(Number), waiting: 1, inUse: 1 },
    ]);
  });

  test("makes no event for a slot that is granted at once", async () => {
    const { queue, events } = observed({ maxWaiting: 2 });
    (await queue.acquire("a"))();
    queue.tryAcquire()?.();
    expect(events).toEqual([]);
  });

  test.each(["full", "displaced", "aborted", "closed", "timed-out"] as const)(
    "says who is refused: %s",
    async (reason) => {
      const { queue, events, acquire } = observed({ maxWaiting: 2, ...(reason === "timed-out" && { timeout: 1 }) });
      queue.tryAcquire();
      const client = new AbortController();
      void acquire("a", client.signal);
      void acquire("a");
      if (reason === "aborted") client.abort();
      if (reason === "full") void acquire("a");
      if (reason === "displaced") void acquire("b");
      if (reason === "closed") queue.close();
      await expect.poll(() => events.some(({ event }) => event === "refused")).toBe(true);
      const refused = events.find(({ event }) => event === "refused");
      expect(refused).toMatchObject({ reason, milliseconds: reason === "full" ? 0 : expect.any(Number), inUse: 1 });
      const entered = events.filter(({ event }) => event === "waiting").length;
      const left = events.filter((event) => event.event !== "waiting" && event.milliseconds > 0).length;
      expect(events.at(-1)?.waiting).toBe(entered - left);
    },
  );
});

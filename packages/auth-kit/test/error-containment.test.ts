import { expect, test } from "vitest";
import { type Ended, runModule } from "../../../test/support/run-module.ts";

function run(program: string): Promise<Ended> {
  return runModule(
    `import { EventEmitter } from "node:events";
    import { claimUncaught, containmentOf, errorContainment, guardProcess, openContained } from "@registry-gate/auth-kit";
    const never = () => new Promise(() => {});
    const outcome = (promise) => promise.then((value) => tell({ value }), (error) => tell({ failed: error?.message ?? error }));
    ${program}`,
    import.meta.dirname,
  );
}

const setUp = `guardProcess(); const contained = errorContainment((error) => tell({ reported: error.message }));`;

test.each([
  ["in a timer", "late(() => { throw new Error('late'); }); return never();"],
  ["in an immediate", "setImmediate(() => { throw new Error('late'); }); return never();"],
  ["in a tick", "process.nextTick(() => { throw new Error('late'); }); return never();"],
  ["as a rejection that nobody awaits", "void Promise.reject(new Error('late')); return never();"],
  ["after an await that nobody awaits", "void (async () => { await 1; throw new Error('late'); })(); return never();"],
  [
    "as an error event that nobody hears",
    "late(() => new EventEmitter().emit('error', new Error('late'))); return never();",
  ],
  [
    "in an event of a connection",
    "const { connect } = await import('node:net'); connect(1, '127.0.0.1').on('error', () => { throw new Error('late'); }); return never();",
  ],
])("an error %s is the failure of the work that it came from, and does not end the process", async (_, work) => {
  const { code, told, stderr } = await run(`${setUp} await outcome(contained.run(async () => { ${work} }));
    tell("still here");`);
  expect({ code, told, stderr }).toEqual({ code: 0, told: [{ failed: "late" }, "still here"], stderr: "" });
});

test.each([
  ["an error", "() => { throw new Error('late'); }"],
  ["a rejection", "async () => { throw new Error('late'); }"],
])("%s in a listener of the signal is the failure of that work, whoever aborts", async (_, listener) => {
  const { code, told, stderr } = await run(`${setUp}
    const client = new AbortController();
    setTimeout(() => client.abort(), 50);
    await outcome(contained.run((signal) => { signal.addEventListener("abort", ${listener}); return never(); }, client.signal));
    tell("still here");`);
  expect({ code, told, stderr }).toEqual({ code: 0, told: [{ failed: "late" }, "still here"], stderr: "" });
});

test("the signal aborts with the one that was given, for its reason, and not after the end of the work", async () => {
  const { told } = await run(`${setUp}
    const client = new AbortController();
    let given;
    const work = (signal) => { given = signal; return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))); };
    const first = outcome(contained.run(work, client.signal));
    client.abort(new Error("gone"));
    await first;
    await outcome(contained.run(async (signal) => signal.reason.message, client.signal));
    const other = new AbortController();
    await outcome(contained.run(async (signal) => { given = signal; return "done"; }, other.signal));
    other.abort();
    tell(given.aborted);
    await outcome(contained.run(async (signal) => signal.aborted));`);
  expect(told).toEqual([{ failed: "gone" }, { value: "gone" }, { value: "done" }, false, { value: false }]);
});

test("an error of one login is no other's", async () => {
  const { told } = await run(`${setUp}
    const other = contained.run(() => new Promise((resolve) => setTimeout(resolve, 100, "fine")));
    await outcome(contained.run(() => { late(() => { throw new Error("late"); }); return never(); }));
    await outcome(other);`);
  expect(told).toEqual([{ failed: "late" }, { value: "fine" }]);
});

test("an error after the end of a login is reported, and fails whoever is at work, because what it broke is unknown", async () => {
  const { code, told } = await run(`${setUp}
    await outcome(contained.run(async () => { setTimeout(() => { throw new Error("after the end"); }, 50); return "done"; }));
    await outcome(contained.run(never));
    tell("still here");`);
  expect(code).toBe(0);
  expect(told).toEqual([
    { value: "done" },
    { reported: "after the end" },
    { failed: "code that logins share threw an error" },
    "still here",
  ]);
});

test("an error in what was begun for all logins is reported, at most once a second", async () => {
  const { code, told } = await run(`${setUp}
    performance.now = () => 5;
    contained.runShared(() => {
      let count = 0;
      const timer = setInterval(() => {
        if (++count === 20) clearInterval(timer);
        throw new Error("again and again");
      }, 5);
    });
    while (process.getActiveResourcesInfo().includes("Timeout")) await new Promise(setImmediate);
    tell("still here");`);
  expect(code).toBe(0);
  expect(told).toEqual([{ reported: "again and again" }, "still here"]);
});

test("a backend is asked in the containment in which it was opened", async () => {
  const { told } = await run(`guardProcess();
    const emitter = new EventEmitter();
    const backend = await openContained(async () => {
      setTimeout(() => { throw new Error("of a connection"); }, 100);
      return { id: "users", authenticate: never };
    }, (error) => tell({ reported: error.message }));
    await outcome(containmentOf(backend, () => tell("another one")).run(() => backend.authenticate()));`);
  expect(told).toEqual([{ reported: "of a connection" }, { failed: "code that logins share threw an error" }]);
});

test("what cannot be looked at is reported all the same", async () => {
  const { code, told } = await run(`${setUp}
    contained.runShared(() => late(() => { throw new Proxy(new Error(), { get() { throw new Error("do not look"); } }); }));`);
  expect({ code, told }).toEqual({ code: 0, told: [{ reported: "an error that cannot be read" }] });
});

test("any other error ends the process", async () => {
  const { code, told, stderr } = await run(`${setUp}
    setTimeout(tell, 1000, "still here");
    late(() => { throw new Error("somebody else's"); });`);
  expect({ code, told }).toEqual({ code: 7, told: [] });
  expect(stderr).toContain("Error: somebody else's");
});

test("an app's own listener decides about any other error, and can tell them apart", async () => {
  const { code, told } = await run(`
    process.on("uncaughtException", (error) => tell({ own: error.message, contained: claimUncaught(error) }));
    ${setUp}
    await outcome(contained.run(() => { late(() => { throw new Error("late"); }); return never(); }));
    late(() => { throw new Error("the app's"); });`);
  expect(code).toBe(0);
  expect(told).toEqual([{ own: "late", contained: true }, { failed: "late" }, { own: "the app's", contained: false }]);
});

test("two copies of the package in one process know of each other's work", async () => {
  const { code, told } = await run(`${setUp}
    const copy = await import(new URL("../src/backend/error-containment.ts?copy", "${import.meta.url}").href);
    const other = copy.errorContainment(() => {});
    await outcome(other.run(() => { late(() => { throw new Error("late"); }); return never(); }));`);
  expect({ code, told }).toEqual({ code: 0, told: [{ failed: "late" }] });
});

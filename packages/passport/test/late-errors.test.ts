import { expect, test } from "vitest";
import { type Ended, runModule } from "../../../test/support/run-module.ts";

function run(program: string): Promise<Ended> {
  return runModule(
    `import { authRequest, basicAsk } from "@registry-gate/auth-testkit";
    import { backendStrategy, passportBackend } from "@registry-gate/passport";
    const strategy = (authenticate) => ({ name: "scripted", authenticate });
    const asked = (authenticate, more = {}, context) =>
      passportBackend({ strategy: strategy(authenticate), identity: ({ name }) => ({ username: name }), timeout: "60s", ...more }, context)
        .then((backend) => backend.authenticate(authRequest(basicAsk("alice", "canary"))))
        .then(tell, ({ code, message }) => tell({ code, message }));
    ${program}`,
    import.meta.dirname,
  );
}

test.each([
  ["in a timer", "late(() => { throw new Error('late, canary'); })"],
  ["as a rejection that nobody awaits", "void Promise.reject(new Error('late, canary'))"],
])(
  "in an app without listeners of its own, what a strategy throws %s is that login's fault, and the app goes on",
  async (_, act) => {
    const { code, told, stderr } = await run(`await asked(() => { ${act}; }); tell("still here");`);
    expect({ code, told, stderr }).toEqual({
      code: 0,
      told: [{ code: "BACKEND_UNAVAILABLE", message: "scripted: the strategy failed: late, [secret]" }, "still here"],
      stderr: "",
    });
  },
);

test("what the identity function throws late is that login's fault", async () => {
  const identity = `{ identity: () => { late(() => { throw new Error("no such column"); }); return new Promise(() => {}); } }`;
  const { told } = await run(`await asked(function () { this.success({ name: "alice" }); }, ${identity});`);
  expect(told).toEqual([{ code: "BACKEND_UNAVAILABLE", message: "scripted: the strategy failed: no such column" }]);
});

test("after the answer it is a warning of the process, or a line of the log, without its message", async () => {
  const answering = `function () { setTimeout(() => { throw new TypeError("canary"); }, 20); this.success({ name: "alice" }); }`;
  const warned = await run(`await asked(${answering}); setTimeout(tell, 200, "still here");`);
  expect(warned).toMatchObject({ code: 0, told: [{ status: "authenticated" }, "still here"] });
  expect(warned.stderr).toContain("scripted: uncaught error in the strategy");
  expect(warned.stderr).toContain("TypeError at ");
  expect(warned.stderr).not.toContain("canary");
  const log = `{ log: { debug() {}, info() {}, warn() {}, error: (fields) => tell(fields) } }`;
  const logged = await run(`await asked(${answering}, {}, ${log});`);
  expect(logged).toMatchObject({
    code: 0,
    told: [{ status: "authenticated" }, { backend: "scripted", type: "TypeError" }],
    stderr: "",
  });
});

test("any other error of the app ends it", async () => {
  const { code, told, stderr } = await run(`
    await asked(function () { this.success({ name: "alice" }); });
    setTimeout(tell, 1000, "still here");
    late(() => { throw new Error("the app's own"); });`);
  expect({ code, told }).toMatchObject({ code: 7, told: [{ status: "authenticated" }] });
  expect(stderr).toContain("the app's own");
});

test("a backend that fails late fails the app's own login", async () => {
  const { code, told } = await run(`
    const backend = await passportBackend({ strategy: strategy(() => late(() => { throw new Error("late"); })), identity: () => ({ username: "a" }) });
    const users = { id: "users", authenticate: () => new Promise(() => late(() => { throw new Error("late"); })) };
    for (const each of [backend, users]) {
      const { EventEmitter } = await import("node:events");
      const request = { headers: {}, headersDistinct: { authorization: [\`Basic \${btoa("alice:canary")}\`] }, socket: new EventEmitter() };
      await new Promise((resolve) => backendStrategy(each).authenticate.call({ error: ({ status, message }) => resolve(tell({ status, message })) }, request));
    }`);
  expect({ code, told }).toEqual({
    code: 0,
    told: Array.from({ length: 2 }, () => ({ status: 503, message: "the authentication service is unavailable" })),
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { authorize } from "../../src/authorize/authorize.ts";
import { compilePolicy } from "../../src/authorize/compile-policy.ts";
import { permissionsOf } from "../../src/authorize/permissions.ts";
import { registryProxy } from "../../src/registry-proxy.ts";
import { parseRoute } from "../../src/route/parse-route.ts";
import { someAction, somebody, someRepository, someRules } from "./generated-rules.ts";

const digest = `sha256:${"0f".repeat(32)}`;

/** Requests for each action, as a client sends them. */
const requests = {
  pull: [
    ["GET", "tags/list"],
    ["HEAD", "manifests/v1"],
    ["GET", `manifests/${digest}`],
    ["GET", `blobs/${digest}`],
    ["GET", `referrers/${digest}`],
  ],
  push: [
    ["PUT", "manifests/v1"],
    ["POST", "blobs/uploads/"],
    ["PATCH", "blobs/uploads/1"],
    ["PUT", `blobs/uploads/1?digest=${digest}`],
  ],
  delete: [
    ["DELETE", `manifests/${digest}`],
    ["DELETE", `blobs/${digest}`],
  ],
} as const;

const someRequest = someAction.chain((action) => fc.tuple(fc.constant(action), fc.constantFrom(...requests[action])));

test("permissions() agrees with the decision on a request", () => {
  fc.assert(
    fc.property(
      fc.option(someRules, { nil: undefined }),
      somebody,
      someRepository,
      someRequest,
      (rules, who, name, [action, [method, path]]) => {
        const policy = compilePolicy(rules);
        const { route } = parseRoute(method, `/v2/${name}/${path}`);
        if (route === undefined) throw new Error(`not understood: ${method} ${path}`);
        const permissions = permissionsOf(policy, who, name);
        expect(permissions[action]).toBe(authorize(policy, who, route).allowed);
      },
    ),
    { numRuns: 10_000 },
  );
});

test("allows nothing on an invalid repository name", () => {
  const policy = compilePolicy([{ subjects: ["anonymous"], repositories: ["**"], actions: ["*"] }]);
  expect(permissionsOf(policy, { kind: "anonymous" }, "team/app")).toEqual({ pull: true, push: true, delete: true });
  for (const name of ["", "Team/app", "team//app", "../team", "team/app:v1", "team/", "a".repeat(256)]) {
    expect(permissionsOf(policy, { kind: "anonymous" }, name)).toEqual({ pull: false, push: false, delete: false });
  }
});

test("the middleware exposes the permissions of its own rules", async () => {
  const alice = { subject: "alice", username: "alice", groups: ["dev"], backend: "portal" };
  const ask = async (access?: Parameters<typeof registryProxy>[0]["access"]) => {
    const registry = registryProxy({
      upstream: { url: "http://127.0.0.1:1" },
      backends: [{ id: "nobody", authenticate: async () => ({ status: "abstained" }) }],
      ...(access !== undefined && { access }),
    });
    await registry.close();
    return [
      registry.permissions({ kind: "user", identity: alice, via: "session" }, "team/app"),
      registry.permissions({ kind: "anonymous" }, "team/app"),
    ];
  };
  expect(await ask()).toEqual([
    { pull: true, push: true, delete: false },
    { pull: false, push: false, delete: false },
  ]);
  expect(
    await ask([
      { subjects: ["anonymous"], repositories: ["team/*"], actions: ["pull"] },
      { subjects: ["group:dev"], repositories: ["team/app"], actions: ["delete"] },
    ]),
  ).toEqual([
    { pull: true, push: false, delete: true },
    { pull: true, push: false, delete: false },
  ]);
});

test("throws for a value that is no principal", async () => {
  const policy = compilePolicy(undefined);
  const identity = { subject: "alice", username: "alice", groups: [], backend: "portal" };
  for (const caller of [identity, "anonymous", {}]) {
    expect(() => Reflect.apply(permissionsOf, undefined, [policy, caller, "team/app"])).toThrow(TypeError);
  }
});

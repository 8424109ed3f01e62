import type { Access, Action, Grants, Principal } from "@registry-gate/auth";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authorize, type Plan } from "../../src/authorize/authorize.ts";
import { compilePolicy } from "../../src/authorize/compile-policy.ts";
import { permissionsOf } from "../../src/authorize/permissions.ts";
import { parseRoute } from "../../src/route/parse-route.ts";
import { routes } from "../route/generated-routes.ts";
import { someAction, somebody, someRepository, someRules, user } from "./generated-rules.ts";

const on = (name: string, action: Action): Access => ({ type: "repository", name, action });
const catalog: Access = { type: "registry", name: "catalog", action: "*" };
const open = compilePolicy(undefined);
const may = (grants: Grants, access: Access): boolean => open.decide({ ...user("alice"), grants }, access).allowed;

const someGrant: fc.Arbitrary<Access> = fc.record({
  type: fc.constantFrom("repository", "registry"),
  name: fc.oneof(
    someRepository,
    fc.constantFrom("**", "*", "team/**", "team/*", "!team/app", "${username}/**", "catalog", "", "Team", "team/**x"),
  ),
  action: fc.constantFrom<Action>("pull", "push", "delete", "*"),
});
const someGrants = fc.array(someGrant, { maxLength: 3 });
const someVia = fc.constantFrom("basic", "bearer", "proxy", "session");

/** Somebody by any way in, whom nothing limits but the rules. */
const someUnlimited: fc.Arbitrary<Principal> = fc
  .tuple(somebody, someVia)
  .map(([who, via]) => (who.kind === "user" ? { ...who, via } : who));

describe("grants", () => {
  test.each<[grants: Grants, access: Access, included: boolean]>([
    [[on("team/app", "pull")], on("team/app", "pull"), true],
    [[on("team/app", "pull")], on("team/app", "push"), false],
    [[on("team/app", "pull")], on("team/app2", "pull"), false],
    [[on("team/app", "push")], on("team/app", "pull"), false],
    [[on("team/app", "*")], on("team/app", "push"), true],
    [[on("team/**", "pull")], on("team/a/b", "pull"), true],
    [[on("team/**", "pull")], on("team-evil/app", "pull"), false],
    [[on("team/*", "pull")], on("team/a/b", "pull"), false],
    [[on("x", "pull"), on("y", "push")], on("x", "push"), false],
    [[{ type: "registry", name: "**", action: "*" }], on("team/app", "pull"), false],
    [[], on("team/app", "pull"), false],
  ])("%j for %j: %s", (grants, access, included) => {
    expect(may(grants, access)).toBe(included);
  });

  test("restrict nothing where there are none", () => {
    expect(open.decide(user("alice"), on("app", "push"))).toEqual({ allowed: true, rule: undefined });
  });

  test("support neither exclusion nor ${username}", () => {
    for (const name of ["!app", "${username}", "${username}/**", "!**"]) {
      expect(may([on(name, "*")], on("app", "pull"))).toBe(false);
      expect(may([on(name, "*")], on("alice", "pull"))).toBe(false);
    }
  });

  test.each<unknown>([null, "**", {}, { length: 1 }, [null], [{}], [{ type: "repository", name: 5, action: "*" }]])(
    "that are no grants (%j) grant nothing",
    (grants) => {
      const principal = { ...user("alice"), grants };
      const decided: unknown = Reflect.apply(open.decide, open, [principal, on("app", "pull")]);
      expect(decided).toMatchObject({ allowed: false });
    },
  );

  test("are reported differently from rules that do not allow", () => {
    const grants = [on("team/app", "pull")];
    const { route } = parseRoute("PUT", "/v2/team/app/manifests/v1");
    if (route === undefined) throw new Error("not understood");
    const reason = "the login's grants do not include push on team/app";
    expect(authorize(open, { ...user("alice"), grants }, route)).toEqual({
      kind: "deny",
      allowed: false,
      reason,
    });
    expect(authorize(open, { ...user("alice"), via: "bearer", grants }, route)).toEqual({
      kind: "challenge",
      allowed: false,
      reason,
      error: "insufficient_scope",
    });
    expect(authorize(compilePolicy([]), { ...user("alice"), grants }, route)).toEqual({
      kind: "deny",
      allowed: false,
      reason: "no rule allows push on team/app",
    });
    expect(open.explain({ ...user("alice"), grants }, on("team/app", "push")).at(-1)).toEqual({
      rule: undefined,
      allows: false,
      denies: true,
      reason,
    });
  });

  test("drop the source of a mount that they do not include", () => {
    const { route } = parseRoute("POST", `/v2/a/b/blobs/uploads/?mount=sha256:${"0f".repeat(32)}&from=c/d`);
    if (route === undefined) throw new Error("not understood");
    const mounting = (...grants: Grants) => authorize(open, { ...user("alice"), grants }, route);
    expect(mounting(on("a/b", "push"), on("c/d", "pull"))).toMatchObject({ route: { mount: { from: "c/d" } } });
    expect(mounting(on("a/b", "push"))).toMatchObject({ allowed: true, route: { mount: undefined } });
    // A client that can get a token for the source as well is told to.
    const token = { ...user("alice"), via: "bearer", grants: [on("a/b", "push")], widenable: true } as const;
    expect(authorize(open, token, route)).toMatchObject({ kind: "challenge", error: "insufficient_scope" });
    const denying = compilePolicy([{ subjects: ["user:alice"], repositories: ["a/**"], actions: ["push"] }]);
    expect(authorize(denying, token, route)).toMatchObject({ allowed: true, route: { mount: undefined } });
  });
});

describe("in the catalog, a user with grants", () => {
  const route = { operation: "list-repositories", page: { n: undefined, last: undefined } } as const;
  const rules = compilePolicy([{ subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull"] }]);
  const names = ["team/a", "team/b", "other"];
  const listed = (via: "basic" | "bearer", ...grants: Grants): readonly string[] | string => {
    const authorization = authorize(rules, { ...user("alice"), via, grants }, route);
    if (!authorization.allowed) return authorization.reason;
    if (authorization.kind !== "filter-catalog") return names;
    const { visible } = authorization;
    return typeof visible === "string" ? (visible === "nothing" ? [] : names) : names.filter(visible);
  };

  test("sees what the grants let them pull", () => {
    expect(listed("basic", on("team/b", "pull"), on("other", "pull"))).toEqual(["team/b"]);
    expect(listed("basic", on("team/b", "push"))).toEqual([]);
  });

  test("sees what the rules let them pull where the catalog itself is granted", () => {
    for (const via of ["basic", "bearer"] as const) expect(listed(via, catalog)).toEqual(["team/a", "team/b"]);
  });

  test("is challenged for a Bearer token without the catalog", () => {
    const principal = { ...user("alice"), via: "bearer", grants: [on("team/b", "pull")] } as const;
    expect(authorize(rules, principal, route)).toMatchObject({ kind: "challenge", error: "insufficient_scope" });
  });
});

describe("grants never add permissions, for any rules:", () => {
  test("an access that is allowed with them is allowed without them", () => {
    fc.assert(
      fc.property(
        fc.option(someRules, { nil: undefined }),
        someUnlimited,
        someGrants,
        someRepository,
        someAction,
        (rules, who, grants, name, action) => {
          const policy = compilePolicy(rules);
          const limited = { ...who, grants };
          const access = on(name, action);
          if (policy.decide(limited, access).allowed) expect(policy.decide(who, access).allowed).toBe(true);
          if (permissionsOf(policy, limited, name)[action]) {
            expect(permissionsOf(policy, who, name)[action]).toBe(true);
          }
          const reaches = ["nothing", "something", "everything"];
          expect(reaches.indexOf(policy.reach(limited, action))).toBeLessThanOrEqual(
            reaches.indexOf(policy.reach(who, action)),
          );
          const explained = policy.explain(limited, access);
          expect(explained.some(({ allows }) => allows) && !explained.some(({ denies }) => denies)).toBe(
            policy.decide(limited, access).allowed,
          );
        },
      ),
      { numRuns: 10_000 },
    );
  });

  test("a route that is allowed with them is allowed without them, and does no less there", () => {
    fc.assert(
      fc.property(
        fc.option(someRules, { nil: undefined }),
        someUnlimited,
        someGrants,
        routes,
        someRepository,
        (rules, who, grants, route, name) => {
          // It gives nothing away, and a token that was issued to nobody passes it.
          fc.pre(route.operation !== "ping");
          const policy = compilePolicy(rules);
          const limited = authorize(policy, { ...who, grants }, route);
          if (!limited.allowed) return;
          const unlimited = authorize(policy, who, route);
          if (!unlimited.allowed) throw new Error(`refused without grants: ${unlimited.reason}`);
          const mounts = ({ route }: typeof limited): boolean =>
            route.operation === "start-upload" && route.mount !== undefined;
          if (mounts(limited)) expect(mounts(unlimited)).toBe(true);
          const sees = (plan: typeof limited): boolean => {
            if (plan.kind !== "filter-catalog") return true;
            return typeof plan.visible === "string" ? plan.visible === "everything" : plan.visible(name);
          };
          if (sees(limited)) expect(sees(unlimited)).toBe(true);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  test("grants of everything restrict nothing", () => {
    const everything: Grants = [on("**", "*"), catalog];
    fc.assert(
      fc.property(fc.option(someRules, { nil: undefined }), someUnlimited, routes, (rules, who, route) => {
        fc.pre(route.operation !== "ping");
        const policy = compilePolicy(rules);
        expect(comparable(authorize(policy, { ...who, grants: everything }, route))).toEqual(
          comparable(authorize(policy, who, route)),
        );
      }),
      { numRuns: 5000 },
    );
  });
});

/** What it says, with whether there is a function in the place of each, and without how a refused token is challenged. */
function comparable(plan: Plan): unknown {
  const { error: _, ...rest } = { error: undefined, ...plan };
  return JSON.parse(JSON.stringify(rest, (_key, value) => (typeof value === "function" ? "a function" : value)));
}

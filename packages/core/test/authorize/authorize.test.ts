import type { Principal } from "@registry-gate/auth";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authorize } from "../../src/authorize/authorize.ts";
import { compilePolicy } from "../../src/authorize/compile-policy.ts";
import { anonymous } from "../../src/authorize/principal.ts";
import type { AccessRule } from "../../src/options/options.ts";
import { accessesOf } from "../../src/route/accesses.ts";
import { parseRoute } from "../../src/route/parse-route.ts";
import { repositoryOf } from "../../src/route/route.ts";
import { routes } from "../route/generated-routes.ts";
import { somebody, someRules, user } from "./generated-rules.ts";

const rules: AccessRule[] = [
  { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
  { subjects: ["authenticated"], repositories: ["**", "!secret/**"], actions: ["pull"] },
  { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push"], immutableTags: ["v*"] },
  { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["pull", "push", "delete"] },
  { subjects: ["user:ci"], repositories: ["ci-*/**"], actions: ["*"] },
];

describe("a route", () => {
  const policy = compilePolicy(rules);
  const judged = (who: Principal, method: string, target: string) => {
    const { route } = parseRoute(method, target);
    if (route === undefined) throw new Error(`not understood: ${target}`);
    return authorize(policy, who, route);
  };
  const sha256 = `sha256:${"0f".repeat(32)}`;

  test("for a ping needs an authenticated caller, and nothing else", () => {
    expect(judged(anonymous, "GET", "/v2/")).toEqual({ kind: "challenge", allowed: false, reason: "no credentials" });
    expect(judged(user("nobody"), "GET", "/v2/")).toMatchObject({ allowed: true });
    expect(authorize(compilePolicy([]), user("nobody"), { operation: "ping" })).toMatchObject({ allowed: true });
    // Whoever may pull something without a name is asked for one here all the same: the client finds out how to log in.
    const everything = compilePolicy([{ subjects: ["anonymous"], repositories: ["**"], actions: ["*"] }]);
    expect(authorize(everything, anonymous, { operation: "ping" })).toMatchObject({ allowed: false });
    const token = { kind: "anonymous", grants: [] } as const;
    expect(authorize(compilePolicy([]), token, { operation: "ping" })).toMatchObject({ allowed: true });
  });

  test("names the rule that allows it, or the access that no rule allows", () => {
    expect(judged(user("alice"), "GET", "/v2/team/app/manifests/v1")).toMatchObject({ reason: "access[1]" });
    expect(judged(user("alice"), "DELETE", "/v2/team/app/manifests/v1")).toEqual({
      kind: "deny",
      allowed: false,
      reason: "no rule allows delete on team/app",
    });
    const unknown = { subject: "alice", username: "alice", groups: [], backend: "idp", groupsIncomplete: "left out" };
    const { route } = parseRoute("DELETE", "/v2/team/app/manifests/v1");
    if (route === undefined) throw new Error("not understood");
    expect(authorize(policy, { kind: "user", identity: unknown, via: "bearer" }, route)).toEqual({
      kind: "deny",
      allowed: false,
      reason: "no rule allows delete on team/app; not all groups are known: left out",
    });
    const open = compilePolicy(undefined);
    const pull = { operation: "get-manifest", repository: "app", reference: "v1", namespace: undefined } as const;
    expect(authorize(open, user("alice"), pull)).toMatchObject({ allowed: true, reason: "authenticated" });
    expect(authorize(open, anonymous, pull)).toMatchObject({ allowed: false });
  });

  test("drops a mount from a repository that the caller may not pull", () => {
    const target = (from: string) => `/v2/alice/app/blobs/uploads/?mount=${sha256}&from=${from}`;
    expect(judged(user("alice"), "POST", target("team/app"))).toMatchObject({ route: { mount: { from: "team/app" } } });
    const without = judged(user("alice"), "POST", target("secret/app"));
    expect(without).toMatchObject({ allowed: true, route: { mount: undefined } });
    // Pull on the source gives nothing on the target.
    const foreign = `/v2/secret/app/blobs/uploads/?mount=${sha256}&from=team/app`;
    expect(judged(user("alice"), "POST", foreign)).toMatchObject({ allowed: false });
  });

  test("that lists repositories shows those that the caller may pull", () => {
    const names = ["public/a", "team/a", "secret/a", "alice/a", "bob/a"];
    const listed = (who: Principal) => {
      const authorization = judged(who, "GET", "/v2/_catalog");
      if (authorization.kind !== "filter-catalog" || typeof authorization.visible !== "function") {
        throw new Error("not filtered");
      }
      return names.filter(authorization.visible);
    };
    expect(listed(anonymous)).toEqual(["public/a"]);
    expect(listed(user("alice"))).toEqual(["public/a", "team/a", "alice/a", "bob/a"]);
  });

  test("that lists repositories is forwarded unfiltered, or not at all, where the rules allow all or nothing", () => {
    const route = { operation: "list-repositories", page: { n: 1, last: undefined } } as const;
    const all = compilePolicy([{ subjects: ["authenticated"], repositories: ["**"], actions: ["*"] }]);
    expect(authorize(all, user("alice"), route)).toEqual({
      kind: "forward",
      allowed: true,
      route,
      reason: "can pull every repository",
    });
    expect(authorize(compilePolicy([]), user("alice"), route)).toMatchObject({ allowed: true, visible: "nothing" });
    expect(authorize(compilePolicy([]), anonymous, route)).toMatchObject({ kind: "challenge" });
    // Where such a page begins, only the gate can read.
    const sealed = { ...route, page: { n: 1, last: `~${"A".repeat(40)}` } };
    expect(authorize(all, user("alice"), sealed)).toMatchObject({ kind: "filter-catalog", visible: "everything" });
    const pushOnly = compilePolicy([{ subjects: ["authenticated"], repositories: ["**"], actions: ["push"] }]);
    expect(authorize(pushOnly, user("alice"), route)).toMatchObject({ visible: "nothing" });
  });

  test("that writes immutable tags names them", () => {
    const pusher = user("alice", "pushers");
    const onlyNew = (...tags: string[]) => ({ tagLimit: { kind: "only-new", tags } });
    expect(judged(pusher, "PUT", "/v2/team/app/manifests/v1")).toMatchObject(onlyNew("v1"));
    expect(judged(pusher, "PUT", `/v2/team/app/manifests/${sha256}?tag=latest&tag=v2`)).toMatchObject(onlyNew("v2"));
    expect(judged(pusher, "PUT", "/v2/team/app/manifests/latest?tag=v3")).toMatchObject(onlyNew("v3"));
    expect(judged(pusher, "PUT", "/v2/team/app/manifests/latest")).not.toHaveProperty("tagLimit");
    expect(judged(pusher, "PUT", `/v2/team/app/manifests/${sha256}`)).not.toHaveProperty("tagLimit");
    expect(judged(pusher, "POST", "/v2/team/app/blobs/uploads/")).not.toHaveProperty("tagLimit");
  });

  test("that deletes content of immutable tags has a limit", () => {
    const limited = compilePolicy([
      { subjects: ["anonymous"], repositories: ["**"], actions: ["*"], immutableTags: ["v*"] },
    ]);
    const limitOf = (target: string) => {
      const { route } = parseRoute("DELETE", target);
      const authorization = route && authorize(limited, user("alice"), route);
      if (authorization?.kind === "create-only") return authorization.tagLimit;
      return authorization?.kind === "forward" ? undefined : "denied";
    };
    expect(limitOf("/v2/app/manifests/v1")).toEqual({ kind: "kept", tag: "v1" });
    expect(limitOf("/v2/app/manifests/latest")).toBeUndefined();
    const unreferenced = { kind: "unreferenced", digest: sha256, isImmutable: expect.any(Function) };
    expect(limitOf(`/v2/app/manifests/${sha256}`)).toEqual(unreferenced);
    expect(limitOf(`/v2/app/blobs/${sha256}`)).toEqual(unreferenced);
    expect(limitOf("/v2/app/blobs/uploads/id")).toBeUndefined();
  });

  test("that is denied names the rule", () => {
    const denying = compilePolicy([
      { subjects: ["authenticated"], repositories: ["**"], actions: ["*"] },
      { effect: "deny", subjects: ["user:mallory"], repositories: ["secret/**"], actions: ["pull"] },
    ]);
    const mallory = user("mallory");
    const pull = {
      operation: "get-manifest",
      repository: "secret/app",
      reference: "v1",
      namespace: undefined,
    } as const;
    expect(authorize(denying, mallory, pull)).toEqual({
      kind: "deny",
      allowed: false,
      reason: "denied by access[1]",
      rule: 1,
    });
    const mount = { digest: sha256, from: "secret/app" };
    const upload = {
      operation: "start-upload",
      repository: "team/app",
      digest: undefined,
      mount,
      digestAlgorithm: undefined,
    } as const;
    expect(authorize(denying, mallory, upload)).toMatchObject({ allowed: true, route: { mount: undefined } });
    expect(authorize(denying, user("alice"), upload)).toMatchObject({ allowed: true, route: { mount } });
    const list = authorize(denying, mallory, { operation: "list-repositories", page: { n: 1, last: undefined } });
    if (list.kind !== "filter-catalog" || typeof list.visible !== "function") throw new Error("not filtered");
    expect(["secret/app", "team/app"].filter(list.visible)).toEqual(["team/app"]);
  });

  test("that lists repositories asks the registry for at most five thousand at once", () => {
    const everything = compilePolicy([{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] }]);
    const travels = (n: number | undefined) => {
      const page = { n, last: undefined };
      return authorize(everything, user("alice"), { operation: "list-repositories", page });
    };
    for (const n of [undefined, 0, 1, 5000]) expect(travels(n)).toMatchObject({ route: { page: { n } } });
    for (const n of [5001, 999_999_999]) expect(travels(n)).toMatchObject({ route: { page: { n: 5000 } } });
  });
});

describe("whatever the rules, the caller and the route are", () => {
  test("a route is allowed where every access of it is", () => {
    fc.assert(
      fc.property(someRules, somebody, routes, (list, who, route) => {
        fc.pre(repositoryOf(route) !== undefined);
        const policy = compilePolicy(list);
        const each = accessesOf(route).map((access) => policy.decide(who, access).allowed);
        expect(authorize(policy, who, route).allowed).toBe(each.every(Boolean));
      }),
      { numRuns: 3000 },
    );
  });

  test("the forwarded route is the requested one, without a mount that is not allowed", () => {
    fc.assert(
      fc.property(someRules, somebody, routes, (list, who, route) => {
        const policy = compilePolicy(list);
        const authorization = authorize(policy, who, route);
        if (!authorization.allowed) return;
        const from = route.operation === "start-upload" ? route.mount?.from : undefined;
        const mayPull =
          from === undefined || policy.decide(who, { type: "repository", name: from, action: "pull" }).allowed;
        const n = route.operation === "list-repositories" ? route.page.n : undefined;
        if (n !== undefined && n > 5000) return;
        expect(authorization.route).toEqual(mayPull ? route : { ...route, mount: undefined });
      }),
      { numRuns: 3000 },
    );
  });

  test("an immutable tag is checked before every manifest put under it", () => {
    fc.assert(
      fc.property(someRules, somebody, routes, (list, who, route) => {
        fc.pre(route.operation === "put-manifest");
        const policy = compilePolicy(list);
        const authorization = authorize(policy, who, route);
        if (!authorization.allowed || route.operation !== "put-manifest") return;
        const written = [route.reference, ...route.tags].filter((name) => !name.includes(":"));
        const isImmutable = policy.immutableTags(who, route.repository, "push");
        const stay = written.filter((tag) => isImmutable?.(tag));
        expect(authorization).toMatchObject(
          stay.length === 0 ? { kind: "forward" } : { kind: "create-only", tagLimit: { kind: "only-new", tags: stay } },
        );
      }),
      { numRuns: 1000 },
    );
  });
});

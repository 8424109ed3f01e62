import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatScopes, parseScope } from "../src/index.ts";

describe("parseScope", () => {
  it("reads a pattern and its actions", () => {
    expect(parseScope("repository:team/**:pull,push").accesses).toEqual([
      { type: "repository", name: "team/**", action: "pull" },
      { type: "repository", name: "team/**", action: "push" },
    ]);
  });

  it("reads an action that is named twice once", () => {
    expect(parseScope("repository:a:pull,pull").accesses).toEqual([{ type: "repository", name: "a", action: "pull" }]);
  });

  it("reads the scope of the catalog", () => {
    expect(parseScope("registry:catalog:*").accesses).toEqual([{ type: "registry", name: "catalog", action: "*" }]);
  });

  it.each([
    "",
    "team/app",
    "repository:team/app",
    "repository::pull",
    "repository:team/app:",
    "repository:team/app:pull,",
    "repository:team/app:write",
    "repository:team/app:pull push",
    "repository:Team/app:pull",
    "repository:/app:pull",
    "repository:team//app:pull",
    "repository:team/a**:pull",
    "repository:!secret/**:pull",
    "repository:${username}/**:pull",
    "repository:registry.example.com:5000/app:pull",
    `repository:${"a".repeat(256)}:pull`,
    "repository:team/app:pull\n",
    "repository(plugin):team/app:pull",
    "registry:catalog:pull",
    "registry:other:*",
    "user:alice:pull",
  ])("refuses %j with a reason", (scope) => {
    expect(parseScope(scope).fault).toMatch(/^must /);
  });

  it("refuses whatever is no scope, and throws at nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const { accesses, fault } = parseScope(text);
        expect((accesses === undefined) !== (fault === undefined)).toBe(true);
      }),
    );
  });

  it("reads again what formatScopes has written", () => {
    const segment = fc.constantFrom("**", "*", "team", "a-*", "*.b", "x_y");
    const pattern = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join("/"));
    const actions = fc.uniqueArray(fc.constantFrom("pull", "push", "delete", "*"), { minLength: 1 });
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { maxLength: 5 }), actions, (patterns, allowed) => {
        const scopes = patterns.map((name) => `repository:${name}:${allowed.join(",")}`);
        const accesses = scopes.flatMap((scope) => parseScope(scope).accesses ?? []);
        expect(accesses).toHaveLength(patterns.length * allowed.length);
        expect(formatScopes(accesses)).toEqual(scopes);
      }),
    );
  });
});

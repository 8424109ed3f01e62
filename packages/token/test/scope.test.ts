import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatScopes, readScopes } from "../src/scope.ts";

const read = (...parameters: string[]) => readScopes(parameters).access;

describe("readScopes", () => {
  it.each([
    ["repository:team/app:pull", [{ type: "repository", name: "team/app", actions: ["pull"] }]],
    ["repository:a/b/c/d:pull,push", [{ type: "repository", name: "a/b/c/d", actions: ["pull", "push"] }]],
    [
      "repository:localhost:5000/team/app:pull",
      [{ type: "repository", name: "localhost:5000/team/app", actions: ["pull"] }],
    ],
    ["repository:[::1]:5000/app:pull", [{ type: "repository", name: "[::1]:5000/app", actions: ["pull"] }]],
    ["repository(plugin):app:push", [{ type: "repository", class: "plugin", name: "app", actions: ["push"] }]],
    ["registry:catalog:*", [{ type: "registry", name: "catalog", actions: ["*"] }]],
  ])("reads %s", (scope, access) => {
    expect(read(scope)).toEqual(access);
  });

  it("reads several parameters, and several scopes in one", () => {
    expect(read("repository:a:pull repository:b:pull", "repository:c:push")).toMatchObject([
      { name: "a" },
      { name: "b" },
      { name: "c" },
    ]);
  });

  it("merges the actions of one resource, and keeps classes apart", () => {
    expect(read("repository:a:pull", "repository:a:push,pull", "repository(plugin):a:delete")).toEqual([
      { type: "repository", name: "a", actions: ["pull", "push"] },
      { type: "repository", class: "plugin", name: "a", actions: ["delete"] },
    ]);
  });

  it.each([
    "",
    " ",
    "unknown:a:pull",
    "repository:a",
    "repository::pull",
    "repository:a:",
    "repository:A:pull",
    "repository:a//b:pull",
    "repository:../a:pull",
    "repository:a/**:pull",
    "repository:a:PULL",
    "repository:host:123456/a:pull",
    "repository:host:x/a:pull",
    "repository(:a:pull",
    "xrepository:a:pull",
    "repository:a:pull\nregistry:catalog:*",
    `repository:${"a".repeat(256)}:pull`,
  ])("leaves out %j", (scope) => {
    expect(read(scope)).toEqual([]);
  });

  it("takes 100 scopes, and refuses one more", () => {
    const scopes = (count: number) => Array.from({ length: count }, (_, index) => `repository:a${index}:pull`);
    expect(read(...scopes(100))).toHaveLength(100);
    expect(readScopes(scopes(101))).toMatchObject({ fault: "there are more than 100 scopes" });
    expect(readScopes([scopes(101).join(" ")])).toMatchObject({ fault: "there are more than 100 scopes" });
  });

  it("takes 8 KiB in all, and refuses one byte more", () => {
    expect(read("x".repeat(4096), "x".repeat(4096))).toEqual([]);
    expect(readScopes(["x".repeat(4096), "x".repeat(4097)])).toMatchObject({ fault: expect.stringContaining("8192") });
    expect(readScopes(["ä".repeat(4097)])).toMatchObject({ fault: expect.stringContaining("8192") });
  });

  const component = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const name = fc.array(component, { minLength: 1, maxLength: 4 }).map((components) => components.join("/"));
  const host = fc.constantFrom("", "localhost:5000/", "registry.example.com:443/", "10.0.0.1:80/");
  const actions = fc.uniqueArray(fc.constantFrom("pull", "push", "delete", "*"), { minLength: 1 });

  it("reads back whatever is written by the grammar", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(host, name, actions), { selector: ([h, n]) => h + n, maxLength: 20 }),
        (all) => {
          const access = all.map(([h, n, actions]) => ({ type: "repository" as const, name: h + n, actions }));
          expect(read(formatScopes(access))).toEqual(access);
          expect(read(...access.map((one) => formatScopes([one])))).toEqual(access);
        },
      ),
    );
  });

  it("names nothing that was not asked for, whatever the text is", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", maxLength: 60 }), { maxLength: 5 }), (parameters) => {
        for (const { type, name, actions } of read(...parameters) ?? []) {
          const texts = parameters.flatMap((parameter) => parameter.split(" "));
          for (const action of actions) {
            expect(
              texts.some((text) => text.startsWith(type) && text.includes(`:${name}:`) && text.includes(action)),
            ).toBe(true);
          }
        }
      }),
    );
  });

  it("reads the longest parameters in linear time", () => {
    const hostile = ["a-".repeat(4000), `repository:${"a.".repeat(2000)}:pull`, `repository:${"a:".repeat(2000)}x`];
    for (const parameter of hostile) expect(read(parameter)).toEqual([]);
  });
});

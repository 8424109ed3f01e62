import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expandEnvironment } from "../src/config/expand.ts";

const environment = { HOST: "registry", PORT: "5000", EMPTY: "" };

describe("expansion of the environment", () => {
  test("replaces variables in every value, however deep", () => {
    const { value, faults } = expandEnvironment(
      { upstream: { url: "http://${HOST}:${PORT}" }, list: [["a${EMPTY}b"]], number: 1, nothing: null },
      environment,
    );
    expect(value).toEqual({ upstream: { url: "http://registry:5000" }, list: [["ab"]], number: 1, nothing: null });
    expect(faults).toEqual([]);
  });

  test("leaves the access rules alone, where ${username} means the caller", () => {
    const rules = [{ subjects: ["user:${HOST}"], repositories: ["${username}/**"], actions: ["pull"] }];
    expect(expandEnvironment({ access: rules }, environment)).toEqual({
      value: { access: rules },
      faults: [],
      placeholders: [],
    });
  });

  test("writes $${ as a literal ${", () => {
    expect(expandEnvironment({ a: "$${HOST} $$ $HOST" }, environment).value).toEqual({ a: "${HOST} $$ $HOST" });
  });

  test("lets two places share a part", () => {
    const shared = { url: "${HOST}" };
    const { value, faults } = expandEnvironment({ one: shared, other: [shared, shared] }, environment);
    const expanded = { url: "registry" };
    expect(value).toEqual({ one: expanded, other: [expanded, expanded] });
    expect(faults).toEqual([]);
  });

  test("reports where a text consists of one placeholder", () => {
    const { placeholders } = expandEnvironment(
      { a: "${PORT}", b: ["${HOST}:${PORT}", { c: "${PORT}" }], d: "$${PORT}", e: " ${PORT}", access: ["${PORT}"] },
      environment,
    );
    expect(placeholders).toEqual([["a"], ["b", 1, "c"]]);
  });

  test("names the path of a variable that is not set", () => {
    const { faults } = expandEnvironment({ auth: { backends: [{ file: "${NOWHERE}" }] } }, environment);
    expect(faults).toEqual([
      { path: ["auth", "backends", 0, "file"], message: "the environment variable NOWHERE is not set" },
    ]);
  });

  test.each(["${", "${}", "${A B}", "${HOST", "${1}", "${__proto__}"])("finds fault with %j", (text) => {
    expect(expandEnvironment({ key: text }, environment).faults).toHaveLength(1);
  });

  test("expands once: what a variable holds is not read again", () => {
    expect(expandEnvironment({ a: "${A}" }, { A: "${B}", B: "no" }).value).toEqual({ a: "${B}" });
  });

  test("leaves any text without ${ as it is", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("${")),
        (text) => {
          expect(expandEnvironment({ a: text }, environment)).toEqual({
            value: { a: text },
            faults: [],
            placeholders: [],
          });
        },
      ),
    );
  });
});

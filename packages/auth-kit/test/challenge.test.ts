import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatChallenge } from "../src/index.ts";

describe("a challenge", () => {
  test.each<[parameters: Record<string, string>, expected: string]>([
    [{ realm: "Registry realm" }, 'Basic realm="Registry realm"'],
    [{ realm: 'a "b" \\c' }, 'Basic realm="a \\"b\\" \\\\c"'],
    [{ realm: "a", charset: "UTF-8" }, 'Basic realm="a",charset="UTF-8"'],
    [{ realm: "" }, 'Basic realm=""'],
    [{ realm: 'a", Bearer realm="evil' }, 'Basic realm="a\\", Bearer realm=\\"evil"'],
  ])("with %j is %s", (parameters, expected) => {
    expect(formatChallenge({ scheme: "Basic", parameters })).toBe(expected);
  });

  test("is read as what was meant, whatever is in it", () => {
    const value = fc.string({ maxLength: 20 });
    fc.assert(
      fc.property(value, value, (realm, scope) => {
        const written = formatChallenge({ scheme: "Bearer", parameters: { realm, scope } });
        // RFC 9110, section 5.6.4: a quoted string, in which a backslash takes what follows it as it is.
        const read = /^Bearer realm="((?:[^"\\]|\\.)*)",scope="((?:[^"\\]|\\.)*)"$/.exec(written);
        expect([read?.[1], read?.[2]].map((text) => text?.replace(/\\(.)/g, "$1"))).toEqual([realm, scope]);
      }),
      { numRuns: 2000 },
    );
  });
});

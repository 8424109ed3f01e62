import { parseDN } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDNTemplate } from "../src/user/dn-template.ts";

const base = "dc=example,dc=org";

describe("a template for the DN of a user", () => {
  const template = (text: string): ((username: string) => string) => {
    const parsed = parseDNTemplate(text);
    if ("fault" in parsed) throw new Error(parsed.fault);
    return parsed.template;
  };

  it("holds the name as one value, whatever it is", () => {
    const fill = template(`cn=x {{username}} y+uid={{username}},ou=people,${base}`);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (username) => {
        fc.pre(username.isWellFormed());
        const parsed = parseDN(fill(username));
        expect(parsed?.[0]).toEqual([
          { type: "cn", value: `x ${username} y`, hex: false },
          { type: "uid", value: username, hex: false },
        ]);
        expect(parsed).toHaveLength(4);
      }),
    );
  });

  it.each([
    ["uid=alice,dc=x", "must hold {{username}}"],
    ["{{username}}", "is not a DN"],
    ["{{username}}@example.com", "is not a DN"],
    ["{{username}}=x,dc=y", "is not a DN"],
    ["uid=#{{username}},dc=y", "is not a DN"],
    ["uid={{username}},{{dn}}", "is not a DN"],
    ["uid={{username}},", "is not a DN"],
  ])("is not %s", (text, fault) => {
    expect(parseDNTemplate(text)).toEqual({ fault });
  });
});

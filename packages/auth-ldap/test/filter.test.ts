import fc from "fast-check";
import { BerReader, FilterParser, type Filter as LdaptsFilter } from "ldapts";
import { describe, expect, it } from "vitest";
import { equal, type Filter } from "../src/filter/filter.ts";
import { type Filling, fillTemplate, type Placeholder } from "../src/filter/filter-template.ts";
import { parseFilterTemplate } from "../src/filter/parse-filter-template.ts";
import { encodeSearch } from "../src/protocol/requests.ts";

function fill(text: string, filling: Filling, holes: readonly Placeholder[] = ["username", "dn"]): Filter | boolean {
  const parsed = parseFilterTemplate(text, holes);
  if ("fault" in parsed) throw new Error(parsed.fault);
  return fillTemplate(parsed.template, filling);
}

/** The filter that a server reads out of the bytes of a search. */
function onTheWire(filter: Filter): LdaptsFilter {
  const bytes = encodeSearch(7, { base: "dc=x", scope: "sub", filter, attributes: ["cn"] }, 5);
  const reader = new BerReader(bytes);
  reader.readSequence();
  reader.readInt();
  reader.readSequence();
  reader.readString();
  for (let skipped = 0; skipped < 2; skipped++) reader.readEnumeration();
  for (let skipped = 0; skipped < 2; skipped++) reader.readInt();
  reader.readBoolean();
  return FilterParser.parse(reader);
}

describe("a filter template", () => {
  it("is compiled into values and holes", () => {
    expect(fill("(uid={{username}})", { username: "alice" })).toEqual(equal("uid", "alice"));
    expect(
      fill(" (& (objectClass=person)\n (| (uid={{ username }})(mail={{username}}) ) ) ", { username: "a" }),
    ).toEqual({
      kind: "and",
      filters: [equal("objectClass", "person"), { kind: "or", filters: [equal("uid", "a"), equal("mail", "a")] }],
    });
    expect(fill("(mail={{username}}@example.org)", { username: "a" })).toEqual(equal("mail", "a@example.org"));
  });

  it.each<[string, Filter]>([
    ["(cn=*)", { kind: "present", attribute: "cn" }],
    ["(cn=a*b*c)", { kind: "substring", attribute: "cn", initial: "a", any: ["b"], final: "c" }],
    ["(cn=*b)", { kind: "substring", attribute: "cn", initial: "", any: [], final: "b" }],
    ["(cn=)", equal("cn", "")],
    ["(cn= a )", equal("cn", " a ")],
    ["(cn;lang-de=a)", equal("cn;lang-de", "a")],
    ["(2.5.4.3=a)", equal("2.5.4.3", "a")],
    ["(cn=\\2a\\28\\29\\5c)", equal("cn", "*()\\")],
    ["(cn=Zo\\c3\\ab)", equal("cn", "Zoë")],
    ["(guid=\\de\\ff\\00)", equal("guid", Buffer.from([0xde, 0xff, 0]))],
    ["(n>=1)", { kind: "atLeast", attribute: "n", value: "1" }],
    ["(n<=1)", { kind: "atMost", attribute: "n", value: "1" }],
    ["(n~=1)", { kind: "approximately", attribute: "n", value: "1" }],
    [
      "(memberOf:1.2.840.113556.1.4.1941:=cn=a,dc=x)",
      {
        kind: "extensible",
        attribute: "memberOf",
        rule: "1.2.840.113556.1.4.1941",
        dnAttributes: false,
        value: "cn=a,dc=x",
      },
    ],
    ["(ou:dn:=a)", { kind: "extensible", attribute: "ou", rule: undefined, dnAttributes: true, value: "a" }],
    [
      "(:dn:caseExactMatch:=a)",
      { kind: "extensible", attribute: undefined, rule: "caseExactMatch", dnAttributes: true, value: "a" },
    ],
    ["(!(cn=a))", { kind: "not", filter: equal("cn", "a") }],
  ])("reads %s", (text, filter) => {
    expect(fill(text, {})).toEqual(filter);
  });

  it.each([
    ["uid={{username}}", "( is expected, at character 1"],
    ["(uid={{username}}", ") is expected, at character 18"],
    ["(uid={{username}}))", "something stands behind the closing parenthesis, at character 19"],
    ["(uid={{user}})", "{{user}} is not known here, at character 6"],
    ["(uid={{username)", "{{ does not begin a known placeholder, at character 6"],
    ["({{username}}=x)", "an attribute with =, >=, <=, ~= or := is expected, at character 2"],
    ["(uid=a\\2)", "two hexadecimal digits are expected behind \\, at character 7"],
    ["(uid=a**b)", "there is nothing between two *, at character 10"],
    ["(&)", "( is expected, at character 3"],
    ["(!(a=b)(c=d))", ") is expected, at character 8"],
    ["(n>=\\ff)", "the value is not UTF-8, at character 8"],
    [`${"(!".repeat(40)}(a=b)${")".repeat(40)}`, "it is nested too deeply, at character 67"],
  ])("is not %s", (text, fault) => {
    expect(parseFilterTemplate(text, ["username"])).toEqual({ fault: `is not a search filter: ${fault}` });
  });

  it("loses the parts that nothing can fill", () => {
    const template = "(|(member={{dn}})(memberUid={{username}}))";
    expect(fill(template, { dn: "cn=a" })).toEqual({ kind: "or", filters: [equal("member", "cn=a")] });
    expect(fill(template, {})).toBe(false);
    expect(fill("(&(objectClass=x)(uid={{username}}))", {})).toBe(false);
    expect(fill("(!(uid={{username}}))", {})).toBe(true);
    expect(fill("(&(a=b)(!(uid={{username}})))", {})).toEqual({ kind: "and", filters: [equal("a", "b")] });
    expect(fill("(|(a=b)(!(uid={{username}})))", {})).toBe(true);
    expect(fill("(uid=x{{username}}*)", {})).toBe(false);
  });

  const evil = fc.oneof(
    fc.constantFrom(
      "*",
      "*)(uid=*",
      "a\\00",
      "a\0",
      "\\2a",
      "{{dn}}",
      "(|(uid=*))",
      "$&",
      "EXTERNAL",
      "é".normalize("NFD"),
    ),
    fc.string({ unit: "binary" }),
  );

  it("keeps whatever is filled in as one value of one part, to the last byte on the wire", () => {
    fc.assert(
      fc.property(evil, evil, (username, dn) => {
        fc.pre(username.isWellFormed() && dn.isWellFormed());
        const filled = fill("(&(objectClass=person)(|(uid={{username}})(member={{dn}})))", { username, dn });
        expect(filled).toEqual({
          kind: "and",
          filters: [
            equal("objectClass", "person"),
            { kind: "or", filters: [equal("uid", username), equal("member", dn)] },
          ],
        });
        if (typeof filled === "boolean") throw new Error("it is a filter");
        expect(onTheWire(filled)).toMatchObject({
          filters: [{ attribute: "objectclass" }, { filters: [{ value: username }, { value: dn }] }],
        });
      }),
    );
  });

  it("keeps whatever is filled in between asterisks apart from them", () => {
    fc.assert(
      fc.property(evil, (username) => {
        fc.pre(username.isWellFormed() && username !== "");
        const filled = fill("(cn=a*{{username}}*z)", { username });
        expect(filled).toEqual({ kind: "substring", attribute: "cn", initial: "a", any: [username], final: "z" });
        if (typeof filled !== "boolean") expect(onTheWire(filled)).toMatchObject({ initial: "a", any: [username] });
      }),
    );
  });
});

import { describe, expect, test } from "vitest";
import { importApache } from "../src/import/apache/import-apache.ts";

const guarded = [
  "ProxyPass /v2 http://127.0.0.1:5000/v2",
  "<Location /v2>",
  "AuthType Basic",
  "AuthUserFile /etc/htpasswd",
  "Require valid-user",
  "</Location>",
];

function rulesIn(lines: readonly string[]) {
  const text = [...lines, ...guarded].join("\n");
  return importApache({ name: "a.conf", directory: "/etc/nowhere", text }).configuration.access;
}

const all = ["pull", "push", "delete"];

describe("an imported configuration of Apache", () => {
  test("has rules where everything is understood", () => {
    expect(rulesIn(["ServerTokens Prod"])).toEqual([
      { subjects: ["authenticated"], repositories: ["**"], actions: all },
    ]);
  });

  test.each([
    ["Include restrictions.conf"],
    ["Use Restrictions /v2"],
    ["RewriteRule ^/v2/team - [NC,f]"],
    ["ProxyPassMatch ^/v2/team/ !"],
    ["<Location /*/team>\nRequire user admin\n</Location>"],
  ])("has no rules where it cannot be told what %s takes away", (line) => {
    expect(rulesIn([line])).toEqual([]);
  });

  test.each([["ProxyPassMatch ^/icons/ !"], ["<Location /icons/*>\nRequire all denied\n</Location>"]])(
    "has all rules beside %s",
    (line) => {
      expect(rulesIn([line])).toHaveLength(1);
    },
  );

  test.each([["ProxyPass /v2/team !"], ["ProxyPass /v2/team/ http://127.0.0.1:5001/v2/"]])(
    "denies to everybody what %s leads elsewhere, whatever is said of its parts",
    (line) => {
      expect(rulesIn([line, "<Location /v2/team/open>\nRequire all granted\n</Location>"])).toEqual([
        { subjects: ["authenticated"], repositories: ["**", "!team", "!team/**"], actions: all },
      ]);
    },
  );

  test("is the same where a part is proxied to the same place", () => {
    expect(rulesIn(["ProxyPass /v2/team http://127.0.0.1:5000/v2/team"])).toHaveLength(1);
  });
});

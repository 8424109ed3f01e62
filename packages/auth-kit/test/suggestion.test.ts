import { expect, test } from "vitest";
import { didYouMean } from "../src/options/suggestion.ts";

const keys = ["listen", "upstream", "auth", "access", "log"];

test.each([
  ["lissten", "listen"],
  ["listn", "listen"],
  ["litsen", "listen"],
  ["Listen", "listen"],
  ["acces", "access"],
  ["upstraem", "upstream"],
  ["lgo", "log"],
])("%s was probably meant as %s", (written, meant) => {
  expect(didYouMean(written, keys)).toBe(`; did you mean ${meant}?`);
});

test.each(["admin", "tls", "", "x", "listen.address", "upstreams-and-more", "a".repeat(100_000)])(
  "nothing is near %s",
  (written) => {
    expect(didYouMean(written, keys)).toBe("");
  },
);

test("the nearest is named", () => {
  expect(didYouMean("ldapp", ["sldap", "ldap"])).toBe("; did you mean ldap?");
});

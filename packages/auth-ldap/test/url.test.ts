import { describe, expect, it } from "vitest";
import { parseServerUrl } from "../src/url.ts";

describe("the URL of a server", () => {
  it.each([
    ["ldaps://ldap.example.org", true, "ldap.example.org", 636],
    ["ldap://ldap.example.org", false, "ldap.example.org", 389],
    ["LDAPS://ldap.example.org:1636/", true, "ldap.example.org", 1636],
    ["ldap://10.0.0.1:3389", false, "10.0.0.1", 3389],
    ["ldaps://[2001:db8::1]", true, "2001:db8::1", 636],
    ["ldaps://[::1]:65535", true, "::1", 65_535],
    ["ldaps://dc_1.corp.", true, "dc_1.corp.", 636],
  ])("%s is understood", (url, ldaps, host, port) => {
    expect(parseServerUrl(url)).toEqual({ address: { url, ldaps, host, port } });
  });

  it.each([
    "",
    "ldap.example.org",
    "ldapi:///var/run/ldapi",
    "https://ldap.example.org",
    "ldaps:ldap.example.org",
    "ldaps://",
    "ldaps://:636",
    "ldaps://user@ldap.example.org",
    "ldaps://user:secret@ldap.example.org",
    "ldaps://ldap.example.org/dc=example,dc=org",
    "ldaps://ldap.example.org/?uid",
    "ldaps://ldap.example.org#x",
    "ldaps://ldap.example.org:",
    "ldaps://ldap.example.org:0",
    "ldaps://ldap.example.org:65536",
    "ldaps://ldap.example.org:+1",
    "ldaps://-x",
    "ldaps://[10.0.0.1]",
    "ldaps://[::1",
    "ldaps://2001:db8::1",
    "ldaps://a%2eb",
    " ldaps://x",
    "ldaps://x\n",
  ])("%j is refused", (url) => {
    expect(parseServerUrl(url)).toEqual({ fault: expect.any(String) });
  });
});

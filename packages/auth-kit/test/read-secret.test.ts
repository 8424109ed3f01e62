import { describe, expect, test } from "vitest";
import { readSecret, readSecretText, withoutByteOrderMark } from "../src/index.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "utf8");

describe("a secret", () => {
  test.each([
    ["as it is", "pass word"],
    ["with a line end of Unix", "pass word\n"],
    ["with a line end of Windows", "pass word\r\n"],
    ["with a line end of old", "pass word\r"],
    ["after a byte order mark", "\uFEFFpass word"],
    ["after a byte order mark, with a line end", "\uFEFFpass word\r\n"],
  ])("is read %s", (_, content) => {
    expect(readSecret(bytes(content))).toEqual({ text: "pass word" });
  });

  test("keeps blanks, quotes and marks that are not at the beginning", () => {
    for (const text of [" a ", '"a"', "a\uFEFF", "é", "e\u0301"])
      expect(readSecret(bytes(`${text}\n`))).toEqual({ text });
  });

  test.each<[string, Buffer, string]>([
    ["empty", bytes(""), "is empty"],
    ["an empty line", bytes("\uFEFF\r\n"), "is empty"],
    ["two lines", bytes("canary\ncanary\n"), "holds more than one line"],
    ["a line with a carriage return in it", bytes("canary\rcanary"), "holds more than one line"],
    ["with a NUL", bytes("canary\0"), "holds a NUL character"],
    ["in UTF-16", Buffer.from("\uFEFFcanary", "utf16le"), "is not UTF-8 text"],
    ["in Latin-1", Buffer.from("caf\u00e9", "latin1"), "is not UTF-8 text"],
  ])("that is %s is refused", (_, content, fault) => {
    expect(readSecret(content)).toEqual({ fault });
  });
});

test("a text of several lines loses its byte order mark and its last line end alone", () => {
  expect(readSecretText(bytes("\uFEFFone\ntwo\n\n"))).toEqual({ text: "one\ntwo\n" });
  expect(withoutByteOrderMark(bytes("\uFEFF\uFEFF"))).toEqual(bytes("\uFEFF"));
});

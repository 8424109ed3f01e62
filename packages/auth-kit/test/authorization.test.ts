import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { basicCredentials, parseAuthorization } from "../src/index.ts";

const encoded = (text: string | Uint8Array): string => Buffer.from(text).toString("base64");

describe("an Authorization header", () => {
  test.each([
    [`Basic ${encoded("alice:secret")}`, "alice", "secret"],
    [`bAsIc ${encoded("alice:secret")}`, "alice", "secret"],
    [`Basic   ${encoded("alice:secret")}`, "alice", "secret"],
    [`Basic ${encoded("alice:a:b:c")}`, "alice", "a:b:c"],
    [`Basic ${encoded("älice:pässwörd")}`, "älice", "pässwörd"],
    [`Basic ${encoded("a\u0308lice:pa\u0308ss")}`, "älice", "päss"],
    [`Basic ${encoded(" alice : secret ")}`, " alice ", " secret "],
  ])("%s is read", (header, username, password) => {
    expect(parseAuthorization(header)).toEqual({ scheme: "basic", username, password });
  });

  test.each(["abc", "a.b.c", "A-._~+/=="])("with the token %s is read", (token) => {
    expect(parseAuthorization(`Bearer ${token}`)).toEqual({ scheme: "bearer", token });
    expect(parseAuthorization(`bearer ${token}`)).toEqual({ scheme: "bearer", token });
  });

  test.each<[string, string]>([
    ["nothing", ""],
    ["no credentials", "Basic"],
    ["no credentials after the blank", "Basic "],
    ["another scheme", "Digest username=alice"],
    ["no colon", `Basic ${encoded("alice")}`],
    ["an empty user name", `Basic ${encoded(":secret")}`],
    ["an empty password", `Basic ${encoded("alice:")}`],
    ["a line end", `Basic ${encoded("alice:se\ncret")}`],
    ["NUL", `Basic ${encoded("alice\u0000:secret")}`],
    ["DEL", `Basic ${encoded("alice\u007f:secret")}`],
    ["a C1 control", `Basic ${encoded("alice:\u0085secret")}`],
    ["Latin-1", `Basic ${encoded(Buffer.from("älice:secret", "latin1"))}`],
    ["over-long UTF-8", `Basic ${encoded(Buffer.from([0x61, 0x3a, 0xc0, 0xaf]))}`],
    ["a lone surrogate", `Basic ${encoded(Buffer.from([0x61, 0x3a, 0xed, 0xa0, 0x80]))}`],
    ["no padding", `Basic ${encoded("alice:secre").replace(/=+$/, "")}`],
    ["padding with something in it", "Basic YTpiY2N="],
    ["Base64 for URLs", "Basic YTo_Pz8_"],
    ["a blank inside", `Basic ${encoded("alice:secret").replace(/^(.{4})/, "$1 ")}`],
    ["something after", `Basic ${encoded("alice:secret")} x`],
    ["two schemes", `Basic ${encoded("alice:secret")}, Bearer x`],
    ["a token with a comma", "Bearer a,b"],
    ["a user name of 513 characters", `Basic ${encoded(`${"a".repeat(513)}:b`)}`],
    ["more than 30 marks in a row in the user name", `Basic ${encoded(`a${"\u0345\u0334".repeat(16)}:secret`)}`],
    ["more than 30 marks in a row in the password", `Basic ${encoded(`alice:a${"\u0345\u0334".repeat(16)}`)}`],
    ["a password of 4,097 bytes beyond ASCII", `Basic ${encoded(`alice:a${"ä".repeat(2048)}`)}`],
    ["more than any password has", `Basic ${encoded(`a:${"b".repeat(20_000)}`)}`],
  ])("with %s is not", (_, header) => {
    expect(parseAuthorization(header)).toBeUndefined();
  });

  test.each(["Basic Og==", "basic Og==", "BASIC   Og=="])(
    "is nobody's with an empty name and password: %s",
    (header) => {
      expect(parseAuthorization(header)).toBe("nobody");
    },
  );

  test("never makes the parser throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom("", "Basic ", "Bearer "), (text, scheme) => {
        parseAuthorization(scheme + text);
        parseAuthorization(`Basic ${encoded(text)}`);
      }),
      { numRuns: 2000 },
    );
  });

  test("is read if, and only if, it keeps to the rules, and holds just what was written", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.constantFrom("", ":", "alice", "a\u0308", "\u0000", "\u007f", "\u0085", "\u2028", "\ufeff", "\u037e"),
    );
    const text = fc.array(piece, { maxLength: 4 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (login) => {
        const [username = "", ...rest] = login.split(":");
        const password = rest.join(":");
        const good = username !== "" && password !== "" && !/\p{Cc}/u.test(login);
        const expected = { scheme: "basic", username: username.normalize("NFC"), password: password.normalize("NFC") };
        const otherwise = login === ":" ? "nobody" : undefined;
        expect(parseAuthorization(`Basic ${encoded(login)}`)).toEqual(good ? expected : otherwise);
      }),
      { numRuns: 5000 },
    );
  });

  test("can be written in one way only: no two texts of Basic are read as one login, but for their form of Unicode", () => {
    const credentials = fc.oneof(
      fc.base64String({ maxLength: 40 }),
      fc.stringMatching(/^[A-Za-z0-9+/=_-]{0,24}$/),
      fc.uint8Array({ maxLength: 24 }).map(encoded),
      fc.stringMatching(/^[a-cä]{1,8}:[a-c:ä]{1,8}$/).map(encoded),
    );
    fc.assert(
      fc.property(credentials, (written) => {
        const read = parseAuthorization(`Basic ${written}`);
        if (read === "nobody" || read?.scheme !== "basic") return;
        const text = Buffer.from(written, "base64").toString("utf8");
        expect(`${read.username}:${read.password}`).toBe(text.normalize("NFC"));
        expect(encoded(text)).toBe(written);
      }),
      { numRuns: 10_000 },
    );
  });

  test("is the same whatever the case of its scheme, and however many blanks follow it", () => {
    const letters = (word: string) =>
      fc
        .tuple(...[...word].map((letter) => fc.constantFrom(letter, letter.toUpperCase())))
        .map((each) => each.join(""));
    fc.assert(
      fc.property(letters("basic"), letters("bearer"), fc.integer({ min: 1, max: 4 }), (basic, bearer, count) => {
        const blanks = " ".repeat(count);
        expect(parseAuthorization(`${basic}${blanks}${encoded("alice:secret")}`)).toMatchObject({ username: "alice" });
        expect(parseAuthorization(`${bearer}${blanks}abc`)).toEqual({ scheme: "bearer", token: "abc" });
      }),
    );
  });

  test("of Bearer is read if, and only if, it is a token68", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9._~+/=-]{0,12}$/)), (token) => {
        // Blanks before the token belong to the header, not to it.
        fc.pre(!token.startsWith(" "));
        const good = /^[A-Za-z0-9._~+/-]+=*$/.test(token);
        expect(parseAuthorization(`Bearer ${token}`)).toEqual(good ? { scheme: "bearer", token } : undefined);
      }),
      { numRuns: 5000 },
    );
  });

  test("is bounded before anything is normalised", () => {
    const normalize = vi.spyOn(String.prototype, "normalize");
    onTestFinished(() => normalize.mockRestore());
    const marks = "\u0345\u0334".repeat(2100);
    for (const login of [`alice:${marks}`, `${marks.slice(0, 500)}:secret`, `alice:${"ä".repeat(3000)}`]) {
      expect(parseAuthorization(`Basic ${encoded(login)}`)).toBeUndefined();
    }
    expect(basicCredentials("ä".repeat(100_000), "secret")).toBeUndefined();
    expect(basicCredentials("alice", "ä".repeat(100_000))).toBeUndefined();
    expect(normalize).not.toHaveBeenCalled();
  });

  test("may have as many marks as any language, in any order, and be long beside", () => {
    const password = `a${"\u0345\u0334".repeat(15)}`.repeat(60);
    expect(parseAuthorization(`Basic ${encoded(`alice:${password}`)}`)).toEqual({
      ...{ scheme: "basic", username: "alice" },
      password: password.normalize("NFC"),
    });
  });

  test("may be as long as a password, a user name or a token needs", () => {
    expect(parseAuthorization(`Basic ${encoded(`${"u".repeat(512)}:${"p".repeat(8000)}`)}`)).toBeDefined();
    expect(parseAuthorization("Bearer ".padEnd(12_288, "t"))).toBeDefined();
    expect(parseAuthorization("Bearer ".padEnd(12_289, "t"))).toBeUndefined();
  });
});

describe("a name and a password from elsewhere", () => {
  test("are taken as a Basic login of them would be, unless the name has a colon", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 20 }),
      fc.constantFrom("", "alice", "a:b", ":", "a\u0308", "a\nb", "\u0085", "x".repeat(512), "x".repeat(513)),
    );
    fc.assert(
      fc.property(text, text, (username, password) => {
        const login = parseAuthorization(`Basic ${encoded(`${username}:${password}`)}`);
        const none = username.includes(":") || login === "nobody";
        expect(basicCredentials(username, password)).toEqual(none ? undefined : login);
      }),
      { numRuns: 5000 },
    );
  });

  test("that are not well-formed Unicode are not taken", () => {
    expect(basicCredentials("\ud800", "secret")).toBeUndefined();
    expect(basicCredentials("alice", "\udc00")).toBeUndefined();
  });
});

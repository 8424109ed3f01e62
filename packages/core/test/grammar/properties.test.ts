import { MIMEType } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type ForwardedHeader, forwardedHeaders } from "../../src/forward/forwarded-headers.ts";

/** What may be written, said once more and in another way than the code does. */
const written: Readonly<Record<string, RegExp>> = {
  accept: /^[^\s,;/]+\/[^\s,;/]+(;[^\s,;=]+=[^\s,;"]+)*(, [^\s,;/]+\/[^\s,;/]+(;[^\s,;=]+=[^\s,;"]+)*)*$/,
  "accept-encoding": /^[^\s,;/]+(;[^\s,;=]+=[^\s,;"]+)*(, [^\s,;/]+(;[^\s,;=]+=[^\s,;"]+)*)*$/,
  "content-range": /^\d+-\d+$/,
  "content-type": /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/,
  "if-match": /^(\*|(W\/)?"[^" ]*"(, (W\/)?"[^" ]*")*)$/,
  "if-modified-since": /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
  "if-none-match": /^(\*|(W\/)?"[^" ]*"(, (W\/)?"[^" ]*")*)$/,
  "if-range": /^((W\/)?"[^" ]*"|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT)$/,
  "if-unmodified-since": /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
  "oci-namespace": /^([a-z0-9._~-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/,
  range: /^[^\s=]+=(\d+-\d*|-\d+)(,(\d+-\d*|-\d+))*$/,
  traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/,
  tracestate: /^[^,=]+=[^,=]+(,[^,=]+=[^,=]+){0,31}$/,
  "user-agent": /^[!-~]([ -~]{0,510}[!-~])?$/,
  "x-request-id": /^[!-~]{1,128}$/,
};

const elements = (value: string): string[] => value.split(",").map((text) => text.trim());
const numbers = (value: string): (number | undefined)[] => (value.match(/\d+|-|,/g) ?? []).map(Number);
const tags = (value: string): string[] => value.match(/(W\/)?"[^"]*"|^\*$/g) ?? [];
const mediaType = (text: string): string => {
  const { essence, params } = new MIMEType(text.replace(/^\*(?!\/)/, "*/*"));
  return `${essence} ${new URLSearchParams([...params])}`;
};
const elementsBut = (value: string): string[] => elements(value).filter((text) => text !== "");

/** What another reader understands of a value that was read. */
const meaning: Readonly<Record<string, (value: string) => unknown>> = {
  accept: (value) => elementsBut(value).map((text) => mediaType(text.replace(/[\t ]*;[\t ]*$/, ""))),
  // No parser of media types reads a coding, so it is made one.
  "accept-encoding": (value) => elementsBut(value).map((text) => mediaType(`x/${text}`)),
  "content-range": (value) => numbers(value.replace(/\/.*/, "").replace(/^bytes/i, "")),
  "content-type": (value) => new MIMEType(value).essence,
  "if-match": tags,
  "if-modified-since": Date.parse,
  "if-none-match": tags,
  "if-range": (value) => (value.includes('"') ? tags(value) : Date.parse(value)),
  "if-unmodified-since": Date.parse,
  "oci-namespace": (value) => value.toLowerCase().replace(/:0*(\d+)$/, ":$1"),
  range: (value) => {
    const [unit = "", set = ""] = value.split("=");
    return [unit.toLowerCase(), elementsBut(set).map(numbers)];
  },
  traceparent: (value) => value,
  tracestate: elementsBut,
  "user-agent": (value) =>
    value
      .replace(/[^ -~]/g, "?")
      .slice(0, 512)
      .trim(),
  "x-request-id": (value) => value,
};

/** Values that travel, to be spoilt. */
const usual: Readonly<Record<string, readonly string[]>> = {
  accept: ["*/*", "a/b;q=0.5, c/d", "application/vnd.oci.image.manifest.v1+json,application/json ; x=y", "*;q=.2"],
  "accept-encoding": ["gzip", "zstd;q=1.0, gzip;q=0.8", "*"],
  "content-range": ["0-4", "bytes 0-4/5", "5-9/*"],
  "content-type": [
    "application/octet-stream",
    "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
    "application/x-www-form-urlencoded",
    'multipart/form-data; boundary="x"',
  ],
  "if-match": ['"a"', 'W/"a", "b"', "*"],
  "if-modified-since": ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"],
  "if-none-match": ['"sha256:0f"', '"a","b"'],
  "if-range": ['"a"', "Sun, 06 Nov 1994 08:49:37 GMT"],
  "if-unmodified-since": ["Sun, 06 Nov 1994 08:49:37 GMT"],
  "oci-namespace": ["mirror.example.com", "Localhost:05000", "[::1]:5000", "registry-1.example.com"],
  range: ["bytes=0-1", "bytes=0-0, 50-59,-5", "lines=1-2"],
  traceparent: ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  tracestate: ["a=b,c=d", "t1@v=x y"],
  "user-agent": ["docker/20.10.24 go/go1.19.8 UpstreamClient(Docker-Client/28.2.2 \\(linux\\))"],
  "x-request-id": ["0af76519-16cd-43dd-8448-eb211c80319c"],
};

const distinct = new Map<ForwardedHeader["grammar"], ForwardedHeader>();
for (const headers of Object.values(forwardedHeaders)) {
  for (const header of headers) distinct.set(header.grammar, header);
}

// White space and letters that some language trims or folds, in Unicode and as the bytes of their UTF-8; controls; folds.
const spoiling = fc.constantFrom(
  ..."\u0000 \t \u000b \u000c \r \n \r\n\t \u007f \u0080 \u0085 \u00a0 \u00c2\u00a0 \u00ad \u1680 \u2003 \u2028 \u202e \u3000 \ufeff".split(
    " ",
  ),
  ..."\u017f \u212a \u0130 \u00df \u0661 \uff10 \ud800 \u{1d7ce} \u00e2\u0080\u0083 \u00c4\u00b0".split(" "),
  ...[" ", ",", ";", "=", '"', "\\", "/", "*", "-", "0", "a=b", ", ", '"x', ";a=", "\t;", "W/", "(c)"],
);

function inputsOf(name: string): fc.Arbitrary<string> {
  const spoilt = fc
    .tuple(
      fc.constantFrom(...(usual[name] ?? [])),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 2 }), spoiling), { maxLength: 3 }),
    )
    .map(([value, edits]) =>
      edits.reduce((text, [at, length, insert]) => {
        const position = at % (text.length + 1);
        return text.slice(0, position) + insert + text.slice(position + length);
      }, value),
    );
  const several = fc.array(spoilt, { minLength: 2, maxLength: 3 }).map((values) => values.join(", "));
  const long = fc
    .tuple(spoilt, fc.nat({ max: 6000 }), spoiling)
    .map(([value, count, text]) => value + text.repeat(count));
  return fc.oneof(
    { weight: 6, arbitrary: spoilt },
    { weight: 2, arbitrary: several },
    { weight: 1, arbitrary: long },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    { weight: 1, arbitrary: fc.string() },
  );
}

test.each([...distinct.values()].map((header) => [header.name, header] as const))(
  "%s is left out, or written as ASCII of its grammar with the meaning that any reader finds in it",
  (name, { grammar, otherwise }) => {
    let read = 0;
    fc.assert(
      fc.property(inputsOf(name), (value) => {
        const result = grammar(value);
        if (result === undefined) return;
        read++;
        expect(result).toMatch(/^[ -~]+$/);
        expect(result).toMatch(written[name] ?? /^\b$/);
        expect(result.length).toBeLessThanOrEqual(5000);
        expect(grammar(result)).toBe(result);
        if (name === "content-type") expect(result).not.toMatch(/^(application\/x-www-form-urlencoded|multipart\/.*)$/);
        // What a blob is called says nothing, and is written in one way.
        if (otherwise !== undefined) expect(result).toBe(otherwise);
        else expect(meaning[name]?.(result)).toEqual(meaning[name]?.(value));
      }),
      { numRuns: 4000 },
    );
    // Were nothing read, nothing would have been compared.
    expect(read).toBeGreaterThan(100);
  },
);

test("parsing a long value takes linear time, whatever it contains", () => {
  const units = [" ", "\t", ",", ";", " ;", ", ", "a", "a/b,", "a/b;c=d", '"', '\\"', '"",', "0-0,", "-", "=", "a=b,"];
  for (const unit of units) {
    for (const prefix of ["", "a/b", "bytes=", '"', "a=", "a/b;"]) {
      for (const length of [100, 500, 1000, 4000, 200_000]) {
        const value = `${prefix}${unit.repeat(length / unit.length)}\u0000`;
        // An exponential reader would not return.
        for (const { name, grammar } of distinct.values()) {
          if (name !== "user-agent") expect(grammar(value), name).toBeUndefined();
          else expect(grammar(value) ?? "").toMatch(/^.{0,512}$/);
        }
      }
    }
  }
});

import fc from "fast-check";
import { digest, keywords, type Probe, upload, wellFormed } from "./well-formed.ts";

/** Names that mean something elsewhere in a target, and names at the edge of the grammar. */
const component = fc.oneof(
  { weight: 14, arbitrary: fc.constantFrom("team", "app", "secret", "a", "b") },
  {
    weight: 3,
    arbitrary: fc.constantFrom(...keywords, "_catalog"),
  },
  { weight: 4, arbitrary: fc.constantFrom("a_b", "a__b", "a-b", "a---b", "a.b", "0", "a1") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "A",
      "Team",
      "_a",
      "a_",
      "a..b",
      "a___b",
      "-a",
      "a.-b",
      "é",
      "ａ",
      "",
      ".",
      "..",
      "x".repeat(240),
    ),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z0-9._-]{1,12}$/) },
);

const repository = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

const reference = fc.oneof(
  fc.constantFrom("latest", "v1", "V1.0_x-y", digest, `sha512:${"cd".repeat(64)}`, "manifests", "list", "uploads"),
  fc.constantFrom(
    ".x",
    "-x",
    "a:b",
    digest.toUpperCase(),
    "sha256:abc",
    "md5:abcd",
    "x".repeat(128),
    "x".repeat(129),
    "@",
    "a+b",
  ),
);

const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        "n",
        "last",
        "mount",
        "from",
        "digest",
        "_state",
        "tag",
        "artifactType",
        "N",
        "other",
        "%6dount",
        "fro%6D",
      ),
      fc.constantFrom(
        "1",
        "0",
        "-1",
        "team/app",
        "secret/app",
        "team%2fapp",
        "secret%2Fapp",
        digest,
        "",
        "a b",
        "%",
        "%00",
        "+",
        "é",
      ),
    ),
    { maxLength: 2 },
  )
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value.replaceAll(" ", "%20")}`).join("&"))
  .map((text) => (text === "" ? "" : `?${text}`));

/** A path and the methods that registries know there. */
type Routed = readonly [path: string, methods: readonly string[]];

const routed: fc.Arbitrary<Routed> = fc.oneof(
  { weight: 5, arbitrary: below("manifests", reference, ["GET", "HEAD", "PUT", "DELETE"]) },
  { weight: 3, arbitrary: below("blobs", reference, ["GET", "HEAD", "DELETE"]) },
  { weight: 3, arbitrary: below("blobs/uploads", fc.constant(""), ["POST"]) },
  {
    weight: 2,
    arbitrary: below("blobs/uploads", fc.constantFrom(upload, upload, "x", ".."), ["GET", "PATCH", "PUT", "DELETE"]),
  },
  { weight: 3, arbitrary: below("tags", fc.constant("list"), ["GET", "HEAD"]) },
  { weight: 1, arbitrary: below("referrers", reference, ["GET"]) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("/v2/", "/v2", "/v2/_catalog", "/v2/_catalog/", "/v2/token", "/", "/v1/search")
      .map((path): Routed => [path, ["GET", "HEAD"]]),
  },
  {
    weight: 2,
    arbitrary: fc.array(component, { maxLength: 6 }).map((parts): Routed => [`/v2/${parts.join("/")}`, ["GET", "PUT"]]),
  },
);

function below(keyword: string, last: fc.Arbitrary<string>, methods: readonly string[]): fc.Arbitrary<Routed> {
  return fc.tuple(repository, last).map(([name, at]) => [`/v2/${name}/${keyword}/${at}`, methods]);
}

const spice = fc.constantFrom(
  ...[
    "//",
    "/./",
    "/../",
    "/..",
    "%2e%2e/",
    "%2E/",
    "%2f",
    "%2F",
    "%5c",
    "\\",
    ";x",
    ";",
    "%3b",
    "%00",
    "%0a",
    "%25",
    "%252f",
  ],
  ...[
    "%2F..%2F",
    "/",
    "#",
    "%23",
    "?",
    "%3f",
    "&",
    "%",
    "%zz",
    "%u002f",
    "%c0%af",
    "%ef%bc%8f",
    "%61",
    "%20",
    "+",
    "\t",
    "é",
    "*",
    "@",
    ":",
  ],
);

/** Changes a target at one place, as those do who look for two readers that do not agree. */
const change: fc.Arbitrary<(target: string) => string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(), spice).map(
      ([at, text]) =>
        (target: string) =>
          splice(target, at, 0, text),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(), fc.boolean()).map(([at, upper]) => (target: string) => {
      const position = at % target.length;
      const code = target.charCodeAt(position).toString(16).padStart(2, "0");
      return splice(target, position, 1, `%${upper ? code.toUpperCase() : code}`);
    }),
  },
  {
    weight: 2,
    arbitrary: fc.nat().map((at) => (target: string) => {
      const character = target.charAt(at % target.length);
      const swapped = character === character.toUpperCase() ? character.toLowerCase() : character.toUpperCase();
      return splice(target, at % target.length, 1, swapped);
    }),
  },
  { weight: 1, arbitrary: fc.nat().map((at) => (target: string) => splice(target, at, 1, "")) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(
        "/V2",
        "/%762",
        "/%76%32",
        "//v2",
        "/./v2",
        "/x/../v2",
        "/v2/../v2",
        "/v2/.",
        "/v2/x/..",
        "http://localhost/v2",
        "*",
        "v2",
      )
      .map((prefix) => (target: string) => target.replace("/v2", () => prefix)),
  },
);

function splice(target: string, at: number, length: number, text: string): string {
  const position = at % (target.length + 1);
  return target.slice(0, position) + text + target.slice(position + length);
}

const everyMethod = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MOVE"];

/** Requests that are nearly well-formed, or far off. */
const strange: fc.Arbitrary<Probe> = fc
  .tuple(routed, fc.nat({ max: 9 }), fc.nat(), query, fc.array(change, { maxLength: 2 }))
  .map(([[path, methods], chance, choice, parameters, changes]) => {
    const verbs = chance === 0 ? everyMethod : methods;
    return {
      method: verbs[choice % verbs.length] ?? "GET",
      target: wireForm(changes.reduce((target, apply) => apply(target), path + parameters)),
    };
  });

/** Requests of which half are well-formed, or differ from it in one place. */
export const probes: fc.Arbitrary<Probe> = fc.oneof(
  { weight: 4, arbitrary: wellFormed },
  {
    weight: 1,
    arbitrary: fc
      .tuple(wellFormed, change)
      .map(([{ method, target }, apply]) => ({ method, target: wireForm(apply(target)) })),
  },
  { weight: 5, arbitrary: strange },
);

/** UTF-8 as its bytes, one character each, without what ends the target: blanks and line ends are for other tests. */
function wireForm(target: string): string {
  return Buffer.from(target, "utf8")
    .toString("latin1")
    .replace(/[\u0000-\u0020\u007f]/g, "");
}

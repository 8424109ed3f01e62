import fc from "fast-check";

/** A request as it goes over the wire: nothing in it is prepared for whoever reads it. */
export interface Probe {
  readonly method: string;
  readonly target: string;
}

export const digest: string = `sha256:${"ab".repeat(32)}`;
export const upload = "3304fa85-fef2-40a1-890e-c8e89458efd2";

/** Words that mean something elsewhere in a target. */
export const keywords: readonly string[] = [
  "manifests",
  "blobs",
  "uploads",
  "tags",
  "list",
  "referrers",
  "v2",
  "latest",
];

const component = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("team", "app", "a", "b", "secret") },
  { weight: 3, arbitrary: fc.constantFrom(...keywords) },
  { weight: 2, arbitrary: fc.constantFrom("a_b", "a__b", "a-b", "a---b", "a.b", "0", "a1", "x".repeat(100)) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z0-9]+([._-][a-z0-9]+){0,3}$/, { size: "-1" }) },
);

const repository = fc.oneof(
  { weight: 8, arbitrary: fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")) },
  // Ends like the path of an operation.
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "a/manifests/b",
      "a/blobs/uploads",
      "a/tags/list",
      `a/blobs/${digest.slice(7)}`,
      "manifests/manifests",
      "blobs/uploads/blobs/uploads",
      "a/referrers/b",
    ),
  },
);

const tag = fc.constantFrom("latest", "v1", "V1.0_x-y", "manifests", "list", "uploads", "_", "x".repeat(128));
const anyDigest = fc.constantFrom(digest, digest.replaceAll("ab", "0f"), `sha512:${"cd".repeat(64)}`);
const identifier = fc.constantFrom(upload, upload.replaceAll("3", "a"));
const cursor = fc.constantFrom(
  "",
  "a",
  "team/app",
  "team%2Fapp",
  "x+y",
  "x%2By",
  "%C3%A9",
  "a%26n%3D5",
  "a%3Bb",
  "%00",
);
const number = fc.constantFrom("0", "1", "007", "1000", "999999999");
const state = fc.constantFrom("abc", "a-_.~", "a%2Fb%3D%3D", "a=b", "a==", "");

/** Parameters that an operation knows, each perhaps there, in any order, among others that it does not know. */
function query(known: Readonly<Record<string, fc.Arbitrary<string>>>): fc.Arbitrary<string> {
  const pairs = Object.entries(known).map(([name, values]) =>
    fc.option(
      values.map((value) => `${name}=${value}`),
      { freq: 2 },
    ),
  );
  const strange = fc.option(
    fc.constantFrom("other=1", "N=5", "Digest=x", "&", "x", "=", "mount", "ns=mirror.example.com"),
    {
      freq: 1,
    },
  );
  return fc
    .tuple(...pairs, strange)
    .chain((all) => fc.shuffledSubarray(all.filter((pair) => pair !== null)))
    .map((chosen) => (chosen.length === 0 ? "" : `?${chosen.join("&")}`));
}

function operation(
  methods: readonly string[],
  keyword: string,
  last: fc.Arbitrary<string>,
  known: Readonly<Record<string, fc.Arbitrary<string>>>,
): fc.Arbitrary<Probe> {
  return fc
    .tuple(fc.constantFrom(...methods), repository, last, query(known))
    .map(([method, name, at, parameters]) => ({
      method,
      target: `/v2/${name}/${keyword}/${at}${parameters}`,
    }));
}

const mount = { mount: anyDigest, from: repository.map((name) => name.replaceAll("/", "%2F")) };

/** Requests for operations of a registry, as a careful client would write them. */
const plain: fc.Arbitrary<Probe> = fc.oneof(
  operation(["GET", "HEAD", "DELETE"], "manifests", fc.oneof(tag, anyDigest), { tag }),
  operation(["PUT"], "manifests", fc.oneof(tag, anyDigest), { tag }),
  operation(["GET", "HEAD", "DELETE"], "blobs", anyDigest, { digest: anyDigest }),
  operation(["POST"], "blobs/uploads", fc.constant(""), { digest: anyDigest }),
  operation(["POST"], "blobs/uploads", fc.constant(""), mount),
  operation(["GET", "HEAD", "PATCH", "DELETE"], "blobs/uploads", identifier, { _state: state }),
  operation(["PUT"], "blobs/uploads", identifier, { _state: state, digest: anyDigest }),
  operation(["GET", "HEAD"], "tags", fc.constant("list"), { n: number, last: cursor }),
  operation(["GET", "HEAD"], "referrers", anyDigest, { artifactType: cursor, n: number, last: cursor }),
  fc.record({ method: fc.constantFrom("GET", "HEAD"), target: fc.constantFrom("/v2/", "/v2", "/v2/?x=1") }),
  query({ n: number, last: cursor }).map((parameters) => ({ method: "GET", target: `/v2/_catalog${parameters}` })),
);

/** Writes letters and digits in their encoded form, which changes nothing of what a target means (RFC 3986, 2.3). */
function disguise(target: string, places: readonly number[], upper: boolean): string {
  const from = target.indexOf("/v2/") + "/v2/".length;
  return places.reduce((text, place) => {
    const at = from + (place % Math.max(1, text.length - from));
    const encoded = /^[A-Za-z0-9]$/.test(text.charAt(at)) && !/%.?$/.test(text.slice(Math.max(0, at - 2), at));
    if (!encoded) return text;
    const code = text.charCodeAt(at).toString(16);
    return `${text.slice(0, at)}%${upper ? code.toUpperCase() : code}${text.slice(at + 1)}`;
  }, target);
}

/** Requests that a registry understands, some in a form that no client would choose. */
export const wellFormed: fc.Arbitrary<Probe> = fc
  .tuple(plain, fc.array(fc.nat({ max: 400 }), { maxLength: 3 }), fc.boolean())
  .map(([{ method, target }, places, upper]) => ({ method, target: disguise(target, places, upper) }));

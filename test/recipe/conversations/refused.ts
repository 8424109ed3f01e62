import { type Difference, type GateError, headOf, inOciFormat, ownError } from "../difference.ts";
import type { Conversation, Step } from "../exchange.ts";
import { given, known, layerDigest } from "./given.ts";

function step(method: string, target: string, status: number, differs: Difference, more: Partial<Step> = {}): Step {
  return { method, target, headers: known, status, differs, ...more };
}

function get(target: string, status: number, differs: Difference): Step {
  return step("GET", target, status, differs);
}

/** The gate knows the methods of each path by itself. */
function notAllowed(allow: string, reason = inOciFormat): Difference {
  const message = "the operation is unsupported";
  return ownError(reason, { status: 405, code: "UNSUPPORTED", message, headers: { allow } });
}

/** The gate refuses what the registry would accept, in another way. */
function refusal(reason: string, code: GateError["code"], message: string, status = 400): Difference {
  return ownError(reason, { status, code, message });
}

const noPath = refusal(inOciFormat, "UNSUPPORTED", "no registry operation has this path", 404);
const elsewhere = refusal(inOciFormat, "UNSUPPORTED", "not found", 404);
const noReference = refusal(inOciFormat, "MANIFEST_UNKNOWN", "no manifest can have this reference", 404);

const knownMethods =
  "only the methods of the OCI specification go through; the registry answers others as if it had been asked something else";
const oneName = "a name that is none is refused in the specification's own words, and not searched for";
const nameInvalid = refusal(oneName, "NAME_INVALID", "the repository's name is malformed");
const oneReading =
  "a path that can be read in two ways is refused: rules and registry must never understand two different repositories";
const dotted = refusal(oneReading, "NAME_INVALID", "the path holds an empty or a dot segment");
const numbersAlone = refusal(
  "a page size that is none is refused, as newer registries do; this one takes it for none at all",
  "PAGINATION_NUMBER_INVALID",
  "the parameter n is not a number",
);
const understoodMount = "a mount is judged by both repositories, so both have to be understood";

/** What a registry refuses too, and what the gate refuses by itself. */
export const refused: readonly Conversation[] = [
  {
    name: "methods that a path does not have",
    steps: [
      step("POST", "/v2/", 200, notAllowed("GET, HEAD", knownMethods)),
      step("OPTIONS", "/v2/", 200, notAllowed("GET, HEAD", knownMethods)),
      step("GET", "/v2/team/app/blobs/uploads/", 404, notAllowed("POST", knownMethods)),
      step("DELETE", "/v2/team/app/tags/list", 405, notAllowed("GET, HEAD")),
      step("PUT", `/v2/team/app/blobs/${layerDigest}`, 405, notAllowed("GET, HEAD, DELETE")),
      step("POST", "/v2/team/app/manifests/1", 405, notAllowed("GET, HEAD, PUT, DELETE")),
      step("HEAD", "/v2/_catalog", 405, headOf(notAllowed("GET"))),
    ],
  },
  {
    name: "the path without its last slash",
    steps: [
      get("/v2", 301, {
        reason: "nginx sends the client to /v2/, the gate answers it there",
        gate: (recipe) => ({
          ...recipe,
          status: 200,
          headers: {
            "content-length": "2",
            "content-type": "application/json; charset=utf-8",
            "docker-distribution-api-version": "registry/2.0",
          },
          body: "{}",
        }),
      }),
    ],
  },
  {
    name: "paths that a registry does not have",
    steps: [get("/v2/team/app/nothing", 404, noPath), get("/v2/team", 404, noPath)],
  },
  {
    name: "paths that are not the registry's",
    steps: [get("/", 404, elsewhere), get("/v1/_ping", 404, elsewhere)],
  },
  {
    name: "names that are none",
    steps: [
      get("/v2/Team/app/tags/list", 404, nameInvalid),
      get("/v2/team/-app/tags/list", 404, nameInvalid),
      get(`/v2/${"a".repeat(256)}/tags/list`, 500, nameInvalid),
    ],
  },
  {
    name: "references that are none",
    steps: [
      get("/v2/team/app/manifests/.hidden", 404, noReference),
      get(`/v2/team/app/manifests/${"t".repeat(129)}`, 404, noReference),
      get(
        "/v2/team/app/blobs/sha256:short",
        400,
        refusal("the gate says it before the registry does", "DIGEST_INVALID", "the blob's digest is malformed"),
      ),
    ],
  },
  {
    name: "paths in two spellings",
    steps: [
      get("/v2/team//app/tags/list", 301, dotted),
      get("/v2/team/../team/app/tags/list", 301, dotted),
      get("/v2/team/./app/tags/list", 301, dotted),
      get(
        "/v2/team%2Fapp/tags/list",
        200,
        refusal(oneReading, "NAME_INVALID", "the path encodes a character that must not be encoded"),
      ),
      { method: "GET", target: "/v2/te%61m/app/tags/list", headers: known, status: 200 },
    ],
  },
  {
    name: "pages that are none",
    steps: ["/v2/_catalog?n=-1", "/v2/_catalog?n=x", "/v2/team/app/tags/list?n=x"].map((target) =>
      get(target, 200, numbersAlone),
    ),
  },
  {
    name: "mounts that are none",
    steps: [
      { method: "POST", target: `/v2/push/odd/blobs/uploads/?mount=${layerDigest}`, headers: known, status: 202 },
      step(
        "POST",
        `/v2/push/odd/blobs/uploads/?mount=nothing&from=${given.repository}`,
        202,
        refusal(understoodMount, "DIGEST_INVALID", "the parameter mount is not a digest"),
      ),
      step(
        "POST",
        `/v2/push/odd/blobs/uploads/?mount=${layerDigest}&from=TEAM`,
        202,
        refusal(understoodMount, "NAME_INVALID", "the parameter from is not a repository's name"),
      ),
    ],
  },
  {
    name: "a form in which the registry looks for a mount",
    steps: [
      step(
        "POST",
        "/v2/push/form/blobs/uploads/",
        201,
        refusal(
          "the registry takes a mount from a form, too, where no rule has judged it",
          "UNSUPPORTED",
          "a registry accepts no forms",
          415,
        ),
        {
          headers: { ...known, "content-type": "application/x-www-form-urlencoded" },
          body: `mount=${layerDigest}&from=${given.repository}`,
        },
      ),
    ],
  },
];

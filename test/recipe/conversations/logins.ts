import { basic } from "../../support/basic.ts";
import { type Difference, headOf, inOciFormat, ownError } from "../difference.ts";
import type { Conversation, Step } from "../exchange.ts";
import { known, layerDigest } from "./given.ts";

/** What a request without a login gets: the challenge is the recipe's. */
function unauthorized(action?: "pull" | "push"): Difference {
  return ownError(inOciFormat, {
    status: 401,
    code: "UNAUTHORIZED",
    message: "authentication required",
    headers: { "www-authenticate": 'Basic realm="Registry realm"' },
    ...(action !== undefined && { action }),
  });
}

function ping(headers: Step["headers"], more: Pick<Step, "status" | "differs">): Step {
  return { method: "GET", target: "/v2/", ...(headers !== undefined && { headers }), ...more };
}

const refused = { status: 401, differs: unauthorized() };

export const logins: readonly Conversation[] = [
  { name: "ping without credentials", steps: [ping(undefined, refused)] },
  { name: "ping with the right password", steps: [ping(known, { status: 200 })] },
  { name: "ping with a wrong password", steps: [ping(basic("testuser", "wrong"), refused)] },
  { name: "ping as nobody who exists", steps: [ping(basic("nobody", "testpassword"), refused)] },
  { name: "ping with an empty password", steps: [ping(basic("testuser", ""), refused)] },
  { name: "ping with an empty name", steps: [ping(basic("", "testpassword"), refused)] },
  { name: "ping with a name in other case", steps: [ping(basic("TestUser", "testpassword"), refused)] },
  { name: "ping with a colon in the password", steps: [ping(basic("colon", "a:b:c"), { status: 200 })] },
  { name: "ping with the scheme in lower case", steps: [ping(lowerCase(known), { status: 200 })] },
  { name: "ping with another scheme", steps: [ping({ authorization: "Bearer abc" }, refused)] },
  { name: "ping with credentials that are no Base64", steps: [ping({ authorization: "Basic ***" }, refused)] },
  {
    name: "ping with credentials without a colon",
    steps: [ping({ authorization: `Basic ${btoa("testuser")}` }, refused)],
  },
  {
    name: "HEAD of the ping",
    steps: [
      { method: "HEAD", target: "/v2/", headers: known, status: 200 },
      { method: "HEAD", target: "/v2/", status: 401, differs: headOf(unauthorized()) },
    ],
  },
  {
    name: "a pull without credentials",
    steps: [
      { method: "GET", target: "/v2/team/app/manifests/1", status: 401, differs: unauthorized("pull") },
      { method: "GET", target: `/v2/team/app/blobs/${layerDigest}`, status: 401, differs: unauthorized("pull") },
      { method: "GET", target: "/v2/team/app/tags/list", status: 401, differs: unauthorized("pull") },
      { method: "GET", target: "/v2/_catalog", status: 401, differs: unauthorized() },
    ],
  },
  {
    name: "a push with a wrong password, its body already on the way",
    steps: [
      {
        method: "POST",
        target: "/v2/team/app/blobs/uploads/",
        headers: basic("testuser", "wrong"),
        body: "x".repeat(100_000),
        status: 401,
        differs: unauthorized("push"),
      },
      {
        method: "PUT",
        target: "/v2/team/app/manifests/9",
        headers: { ...basic("testuser", "wrong"), "content-type": "application/json" },
        body: ["{", "}"],
        status: 401,
        differs: unauthorized("push"),
      },
      { method: "GET", target: "/v2/team/app/manifests/9", headers: known, status: 404 },
    ],
  },
  {
    name: "a push without credentials that waits to be asked for its body",
    steps: [
      {
        method: "PUT",
        target: "/v2/team/app/manifests/9",
        headers: { expect: "100-continue", "content-length": "2", "content-type": "application/json" },
        body: "{}",
        status: 401,
        differs: unauthorized("push"),
      },
    ],
  },
];

function lowerCase({ authorization }: { readonly authorization: string }): { readonly authorization: string } {
  return { authorization: authorization.replace("Basic", "basic") };
}

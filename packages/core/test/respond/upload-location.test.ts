import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { ResponseHead } from "../../src/forward/transport.ts";
import { sealedUploadTarget, type UploadRoute, withUploadLocation } from "../../src/respond/upload-location.ts";
import { parseRoute } from "../../src/route/parse-route.ts";
import type { Route } from "../../src/route/route.ts";
import { sealerFor } from "../../src/seal/sealer.ts";

const upstream = new URL("http://registry:5000");
const keys = [randomBytes(32)];
const sealer = sealerFor(upstream, () => keys);
const alice = 'user:["htpasswd","alice"]';
const start = routeOf("POST", "/v2/team/app/blobs/uploads/");
const digest = `sha256:${"0".repeat(64)}`;

function routeOf(method: string, target: string): Route {
  const { route } = parseRoute(method, target);
  if (route === undefined) throw new Error(`${method} ${target} is no route`);
  return route;
}

function uploadOf(method: string, target: string): UploadRoute {
  const route = routeOf(method, target);
  if (!("upload" in route)) throw new Error(`${target} is no upload`);
  return route;
}

function locationFor(location: string, route: Route = start, sent = "/v2/team/app/blobs/uploads/"): string {
  const head: ResponseHead = { statusCode: 202, headers: { location } };
  return String(withUploadLocation(head, route, sent, upstream, alice, sealer).headers.location);
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a Location of distribution's form", () => {
  test.each([
    "/v2/team/app/blobs/uploads/0f0c5ff3",
    "/v2/team/app/blobs/uploads/0f0c5ff3?_state=abc_-%3D",
    "http://inner:5000/v2/team/app/blobs/uploads/0f0c5ff3?_state=abc",
    "https://inner/v2/team/app/blobs/uploads/a.b=c",
  ])("stays as it is: %s", (location) => {
    expect(locationFor(location)).toBe(location);
  });

  test("becomes a path where it is relative to the path of the request", () => {
    expect(locationFor("0f0c5ff3?_state=a")).toBe("/v2/team/app/blobs/uploads/0f0c5ff3?_state=a");
  });
});

test.each(["urn:x:y", "data:text/plain,x", "foo:bar", "http://[", "mailto:a@b"])("%s is no place", (location) => {
  expect(() => locationFor(location)).toThrow("the registry's Location is malformed");
});

describe("any other Location", () => {
  const cases: readonly (readonly [location: string, path: string])[] = [
    ["/v2/team/app/blobs/uploads/1?state=abc", "/v2/team/app/blobs/uploads/1?state=abc"],
    ["/v2/team/app/blobs/uploads/1?_state=a&part=2", "/v2/team/app/blobs/uploads/1?_state=a&part=2"],
    ["/v2/other/app/blobs/uploads/1", "/v2/other/app/blobs/uploads/1"],
    ["/v2/team/app/blobs/uploads/", "/v2/team/app/blobs/uploads/"],
    ["/v2/team/app/blobs/uploads/%41", "/v2/team/app/blobs/uploads/%41"],
    ["/v2/team/app/blobs/uploads/~sealed", "/v2/team/app/blobs/uploads/~sealed"],
    ["https://elsewhere/artifacts-uploads/p/x?q=%2F&r", "/artifacts-uploads/p/x?q=%2F&r"],
    ["?session=1", "/v2/team/app/blobs/uploads/?session=1"],
    ["//elsewhere/x y", "/x%20y"],
  ];

  test.each(cases)("is sealed, and opened for the registry: %s", (location, path) => {
    const sealed = locationFor(location);
    expect(sealed).toMatch(/^\/v2\/team\/app\/blobs\/uploads\/~[\w-]+$/);
    for (const method of ["PATCH", "GET", "DELETE", "PUT"]) {
      expect(sealedUploadTarget(uploadOf(method, sealed), alice, sealer)).toBe(path);
    }
    const finish = uploadOf("PUT", `${sealed}?digest=${digest}`);
    const joined = `${path}${path.includes("?") ? "&" : "?"}digest=sha256%3A${"0".repeat(64)}`;
    expect(sealedUploadTarget(finish, alice, sealer)).toBe(joined);
  });

  test("is opened with an older key, and not with another one", () => {
    const sealed = locationFor("/x");
    const rotated = sealerFor(upstream, () => [randomBytes(32), ...keys]);
    expect(sealedUploadTarget(uploadOf("PATCH", sealed), alice, rotated)).toBe("/x");
    const foreign = sealerFor(upstream, () => [randomBytes(32)]);
    expect(sealedUploadTarget(uploadOf("PATCH", sealed), alice, foreign)).toBeUndefined();
  });

  test("is nothing to another user, for another repository, at another registry, or a day later", () => {
    const sealed = locationFor("/x");
    const route = uploadOf("PATCH", sealed);
    expect(sealedUploadTarget(route, 'user:["htpasswd","bob"]', sealer)).toBeUndefined();
    expect(sealedUploadTarget(route, "anonymous", sealer)).toBeUndefined();
    const elsewhere = uploadOf("PATCH", sealed.replace("team/app", "team/other"));
    expect(sealedUploadTarget(elsewhere, alice, sealer)).toBeUndefined();
    const other = sealerFor(new URL("http://registry:5001"), () => keys);
    expect(sealedUploadTarget(route, alice, other)).toBeUndefined();
    vi.useFakeTimers({ now: Date.now() + 24 * 3_600_000 + 1000 });
    expect(sealedUploadTarget(route, alice, sealer)).toBeUndefined();
  });

  test("that was changed in any character is nothing", () => {
    const sealed = locationFor("/x");
    fc.assert(
      fc.property(fc.nat({ max: sealed.length - 1 }), fc.constantFrom(..."aZ0-_"), (at, character) => {
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
        const { route } = parseRoute("PATCH", changed);
        if (changed === sealed || route === undefined || !("upload" in route)) return;
        if (!route.upload.startsWith("~")) return;
        expect(sealedUploadTarget(route, alice, sealer)).toBeUndefined();
      }),
    );
  });

  test("is relative to the registry's own path of an upload that was sealed before", () => {
    const first = locationFor("/artifacts-uploads/p/1?state=a");
    const route = uploadOf("PATCH", first);
    const sent = sealedUploadTarget(route, alice, sealer) ?? "";
    const second = locationFor("?state=b", route, sent);
    expect(sealedUploadTarget(uploadOf("PATCH", second), alice, sealer)).toBe("/artifacts-uploads/p/1?state=b");
  });

  test("is a fault of the registry where it is malformed or too long", () => {
    expect(() => locationFor("http://[")).toThrow("malformed");
    expect(() => locationFor(`/${"x".repeat(5000)}`)).toThrow("too long");
  });
});

test("a blob that is there already, and a redirect, are no upload", () => {
  const blob = { statusCode: 201, headers: { location: "/elsewhere" } };
  expect(withUploadLocation(blob, start, "/v2/team/app/blobs/uploads/", upstream, alice, sealer)).toBe(blob);
  const redirect = { statusCode: 307, headers: { location: "https://elsewhere/x" } };
  expect(withUploadLocation(redirect, start, "/v2/team/app/blobs/uploads/", upstream, alice, sealer)).toBe(redirect);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { isSealedUpload } from "../../src/respond/upload-location.ts";
import { accessesOf } from "../../src/route/accesses.ts";
import { parseRoute } from "../../src/route/parse-route.ts";
import { repositoryOf } from "../../src/route/route.ts";
import { isRegistryTarget } from "../../src/route/target.ts";
import { upstreamTarget } from "../../src/route/upstream-target.ts";
import { meant } from "./generated-routes.ts";

// The grammar of the specification, written once more.
const nameGrammar = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
/** A target that no two readers can take apart differently. */
const plainTarget =
  /^\/v2\/[A-Za-z0-9._\-/:+=]*(\?[a-zA-Z_-]+=[A-Za-z0-9._\-~!'()*%]*(&[a-zA-Z_-]+=[A-Za-z0-9._\-~!'()*%]*)*)?$/;

test("the target for the upstream parses to the same route", () => {
  fc.assert(
    fc.property(meant, ({ method, route }) => {
      const target = upstreamTarget(route);
      expect(target).toMatch(plainTarget);
      expect(isRegistryTarget(target)).toBe(true);
      expect(parseRoute(method, target)).toEqual({ route });
    }),
    { numRuns: 5000 },
  );
});

test("every operation on a repository needs an access to it, and none to any other", () => {
  fc.assert(
    fc.property(meant, ({ route }) => {
      const accesses = accessesOf(route);
      expect(accesses).toHaveLength(repositoryOf(route) === undefined ? 0 : 1);
      for (const access of accesses) {
        expect(access).toMatchObject({ type: "repository", name: repositoryOf(route) });
      }
    }),
    { numRuns: 2000 },
  );
});

test("operations that write need more than pull, operations that read need only pull", () => {
  fc.assert(
    fc.property(meant, ({ method, route }) => {
      const actions = accessesOf(route).map(({ action }) => action);
      if (route.operation === "get-upload" || route.operation === "cancel-upload") expect(actions).toEqual(["push"]);
      else if (method === "DELETE") expect(actions).toEqual(["delete"]);
      else if (method === "GET" || method === "HEAD") expect(actions.every((action) => action === "pull")).toBe(true);
      else expect(actions).toEqual(["push"]);
    }),
    { numRuns: 2000 },
  );
});

/** A percent for each character that is chosen. */
const encodings = fc
  .tuple(meant, fc.infiniteStream(fc.boolean()), fc.boolean())
  .map(([{ method, route }, choose, lower]) => {
    const target = upstreamTarget(route);
    const mark = target.indexOf("?");
    const path = mark === -1 ? target : target.slice(0, mark);
    const varied = [...path.slice("/v2/".length)]
      .map((letter) => {
        if (!choose.next().value) return letter;
        const hex = letter.charCodeAt(0).toString(16);
        return `%${lower ? hex : hex.toUpperCase()}`;
      })
      .join("");
    return { method, route, target: `/v2/${varied}${mark === -1 ? "" : target.slice(mark)}` };
  });

test("an encoded path parses to the same route or is refused", () => {
  fc.assert(
    fc.property(encodings, ({ method, route, target }) => {
      const read = parseRoute(method, target);
      if (/%2[ef]/i.test(target.replace(/\?.*$/, ""))) {
        expect(read.refusal).toMatchObject({ status: 400, code: "NAME_INVALID" });
      } else {
        expect(read).toEqual({ route });
      }
    }),
    { numRuns: 5000 },
  );
});

test("upper case is never accepted in a repository name", () => {
  fc.assert(
    fc.property(meant, fc.infiniteStream(fc.boolean()), ({ method, route }, choose) => {
      const target = upstreamTarget({ ...route });
      const varied = [...target].map((letter) => (choose.next().value ? letter.toUpperCase() : letter)).join("");
      const read = parseRoute(method, varied).route;
      if (read === undefined) return;
      expect(read.operation).toBe(route.operation);
      expect(repositoryOf(read)).toBe(repositoryOf(route));
    }),
    { numRuns: 5000 },
  );
});

test("a parameter that the operation does not know changes nothing", () => {
  const name = fc.constantFrom("_method", "name", "repository", "action", "N", "Digest", "X-HTTP-Method-Override", "");
  fc.assert(
    fc.property(meant, name, fc.string({ unit: "binary" }), ({ method, route }, parameter, value) => {
      const target = upstreamTarget(route);
      const further = `${parameter}=${encodeURIComponent(value)}`;
      const sign = target.includes("?") ? "&" : "?";
      expect(parseRoute(method, `${target}${sign}${further}`)).toEqual({ route });
      expect(parseRoute(method, `${target}${sign}${further}&${further}`)).toEqual({ route });
    }),
    { numRuns: 2000 },
  );
});

test("a parameter that is repeated is refused, the tags of a manifest alone excepted", () => {
  fc.assert(
    fc.property(meant, ({ method, route }) => {
      const target = upstreamTarget(route);
      const repeated = /[?&]([^=]+)=[^&]*$/.exec(target);
      fc.pre(repeated !== null);
      const { refusal } = parseRoute(method, `${target}&${repeated?.[1]}=1`);
      if (repeated?.[1] === "tag") expect(refusal).toBeUndefined();
      else expect(refusal).toMatchObject({ status: 400 });
    }),
    { numRuns: 2000 },
  );
});

const soup = fc.constantFrom(
  ..."/ // . .. %2f %2F %5c \\ %2e %25 %00 %23 # %3b ; % %zz %c0%af ? & = + : @ ~ \u0000 \t \u00e9 \ud800 ".split(" "),
  ...["A", "_", "-", "v2", "_catalog", "tags/list", "blobs/uploads/", "manifests/"],
);
const near = fc
  .tuple(meant, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 2 }), soup), { minLength: 1, maxLength: 3 }))
  .map(([{ method, route }, edits]) => {
    let target = upstreamTarget(route);
    for (const [at, length, insert] of edits) {
      const position = at % (target.length + 1);
      target = target.slice(0, position) + insert + target.slice(position + length);
    }
    return { method, target };
  });
const methods = fc.constantFrom("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "get", "");
const anything = fc.record({ method: methods, target: fc.string({ unit: "binary" }) });
const soups = fc.record({
  method: methods,
  target: fc.array(soup, { maxLength: 12 }).map((parts) => `/v2/${parts.join("")}`),
});

test("the parser never throws, and accepts only the grammar of the specification", () => {
  fc.assert(
    fc.property(fc.oneof(near, anything, soups), ({ method, target }) => {
      const { route, refusal } = parseRoute(method, target);
      if (route === undefined) {
        expect(refusal.status).toBeOneOf([400, 404, 405]);
        expect(refusal.message).toMatch(/^[a-zA-Z0-9 ,'_/-]+$/);
        return;
      }
      const name = repositoryOf(route);
      if (name !== undefined) {
        expect(name).toMatch(nameGrammar);
        expect(name.length).toBeLessThanOrEqual(255);
      }
      for (const access of accessesOf(route)) expect(access.name).toBe(name);
      const written = upstreamTarget(route);
      // Where such an upload is, is in the seal: the registry never gets this target.
      if (!isSealedUpload(route)) expect(written).toMatch(plainTarget);
      // Reading once more what was written finds nothing new.
      expect(parseRoute(method, written).route).toEqual(route);
    }),
    { numRuns: 20_000 },
  );
});

test("handles every target that a browser resolves to /v2/ or below, decoded or not", () => {
  const fragment = fc.constantFrom(
    "/",
    "/",
    "v2",
    "v2",
    ".",
    "..",
    "\\",
    "%2e",
    "%",
    "%2F",
    "%76",
    "%32",
    "#",
    "?",
    "a",
    ";",
    "v",
  );
  const targets = fc.array(fragment, { maxLength: 10 }).map((parts) => `/${parts.join("")}`);
  fc.assert(
    fc.property(targets, (target) => {
      const read = (text: string): string => new URL(`http://registry${text}`).pathname;
      const decoded = read(
        read(target).replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      );
      const below = [read(target), decoded].some((path) => path === "/v2" || path.startsWith("/v2/"));
      if (below) expect(isRegistryTarget(target), target).toBe(true);
      if (!isRegistryTarget(target)) expect(parseRoute("GET", target).route).toBeUndefined();
    }),
    { numRuns: 20_000 },
  );
});

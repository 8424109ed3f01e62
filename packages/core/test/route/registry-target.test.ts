import { expect, test } from "vitest";
import { parseRoute } from "../../src/route/parse-route.ts";
import { isRegistryTarget } from "../../src/route/target.ts";

test.each(["/v2", "/v2/", "/v2?x", "/v2/app/tags/list", "/v2/../portal"])("%s is the registry's", (target) => {
  expect(isRegistryTarget(target)).toBe(true);
});

test.each([
  "/%762/app",
  "/%2576%2532/",
  "/%2525762/",
  "/%56%32/app",
  "//v2/app",
  "/./v2/app",
  "/%2e/v2/app",
  "/x/../v2/app",
  "/x/%2e%2e/v2/",
  "/;/../v2/",
  "/v2\\..\\portal",
  "\\v2\\",
  "/v2%2fapp",
  "/v2#fragment",
  "/%23/../v2/",
  "/v%2F%32/../v2",
  "/;%2F;/../%76%32",
  "/a%2Fb/%2e%2e/v2/",
  "http://registry/v2/app",
  "HTTP://registry/v2",
])("%s is handled and refused, because a lenient implementation would resolve it to /v2/", (target) => {
  expect(isRegistryTarget(target)).toBe(true);
  expect(parseRoute("GET", target).refusal).toMatchObject({ status: expect.toBeOneOf([400, 404]) });
});

test.each([
  "",
  "*",
  "/",
  "/v1/",
  "/v2x",
  "/v20/",
  "/V2/",
  "/app/v2/",
  "/?/v2/",
  "/?/../v2/",
  "/favicon.ico",
  "/api/v2/x",
  "/api/../portal",
  "/api/x/../v2/",
  "/%7euser/",
  "/%",
  "/%zz/%76",
  "http://registry/portal",
])("%s is not a registry request", (target) => {
  expect(isRegistryTarget(target)).toBe(false);
  expect(parseRoute("GET", target).route).toBeUndefined();
});

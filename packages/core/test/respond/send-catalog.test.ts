import { ServerResponse } from "node:http";
import { expect, test, vi } from "vitest";
import type { CatalogPage } from "../../src/query/catalog/filtered-catalog.ts";
import { sendCatalog } from "../../src/respond/send-catalog.ts";
import type { Page } from "../../src/route/route.ts";
import { receivedRequest } from "../received-request.ts";

async function sent(asked: Page, page: CatalogPage) {
  const request = await receivedRequest();
  const response = new ServerResponse(request);
  response.setHeader("ETag", "something else");
  const end = vi.spyOn(response, "end");
  const length = sendCatalog(request, response, asked, page);
  return { headers: response.getHeaders(), length, body: String(end.mock.calls[0]?.[0]), status: response.statusCode };
}

test("a page of the catalog is JSON with Content-Length and the API version, without earlier headers of the app", async () => {
  const page = { repositories: ["a", "team/ap\u00fc"], next: undefined };
  const { headers, body, status, length } = await sent({ n: undefined, last: undefined }, page);
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({ repositories: ["a", "team/ap\u00fc"] });
  expect(length).toBe(Buffer.byteLength(body));
  expect({ ...headers }).toEqual({
    "content-type": "application/json; charset=utf-8",
    "content-length": length,
    "cache-control": "private, no-cache",
    "docker-distribution-api-version": "registry/2.0",
  });
});

test.each<[n: number | undefined, next: string, link: string]>([
  [undefined, "team/app", '</v2/_catalog?last=team%2Fapp>; rel="next"'],
  [2, "a", '</v2/_catalog?last=a&n=2>; rel="next"'],
])("a page of %j that ends with %s links to the next one", async (n, next, link) => {
  const { headers } = await sent({ n, last: undefined }, { repositories: [next], next });
  expect(headers.link).toBe(link);
});

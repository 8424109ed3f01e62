import { createServer } from "node:http";
import { listen } from "../support/listen.ts";
import { digestOf } from "../support/registry-content.ts";
import { manifest } from "./fixed-registry.ts";

export interface LargeRegistry {
  readonly url: string;
  close(): Promise<void>;
}

const tagsOfOne = 100;

/**
 * A registry of so many repositories, whose catalog comes in pages.
 *
 * @param nameOf What each of them is called, in the order of the catalog.
 */
export async function startLargeRegistry(
  count: number,
  nameOf: (index: number) => string = (index) => `team/service-${String(index).padStart(5, "0")}`,
): Promise<LargeRegistry> {
  const names = Array.from({ length: count }, (_, index) => nameOf(index));
  const places = new Map(names.map((name, place) => [name, place]));
  const tags = Array.from({ length: tagsOfOne }, (_, index) => `1.${index}`);
  const digest = digestOf(manifest);
  const server = createServer(({ url = "" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://registry");
    if (pathname === "/v2/_catalog") {
      const size = Number(searchParams.get("n") ?? 100);
      const from = (places.get(searchParams.get("last") ?? "") ?? -1) + 1;
      const page = names.slice(from, from + size);
      const last = page.at(-1);
      if (from + size < names.length && last !== undefined) {
        response.setHeader("Link", `</v2/_catalog?last=${encodeURIComponent(last)}&n=${size}>; rel="next"`);
      }
      response.end(JSON.stringify({ repositories: page }));
    } else if (pathname.endsWith("/tags/list")) {
      response.end(JSON.stringify({ name: "any", tags }));
    } else if (pathname.includes("/manifests/")) {
      response.setHeader("Docker-Content-Digest", digest);
      response.setHeader("Content-Type", "application/vnd.oci.image.manifest.v1+json");
      response.end(manifest);
    } else if (pathname.includes("/blobs/")) {
      response.end(JSON.stringify({ os: "linux", architecture: "amd64", created: "2026-11-20T10:00:00Z" }));
    } else response.writeHead(404).end("{}");
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise<void>((done) => server.close(() => done()).closeAllConnections()),
  };
}

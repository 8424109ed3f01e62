import { Problem } from "../http/problem.ts";
import { parseDigest } from "../names/digest.ts";
import { parseTarget } from "../routes/target.ts";
import type { RequestHook } from "./faults.ts";

/**
 * Answers `GET` of a blob with 307, as docker-registry does whose storage is elsewhere. `location` is the URL, or makes it
 * from the digest. Whether the blob exists is not looked at.
 */
export function redirectBlobs(location: string | ((digest: string) => string)): RequestHook {
  return (request, response) => {
    const digest = request.method === "GET" ? blobOf(request.url ?? "") : undefined;
    if (digest === undefined) return false;
    response.writeHead(307, {
      location: typeof location === "string" ? location : location(digest),
      "content-length": 0,
      "docker-content-digest": digest,
    });
    response.end();
    return true;
  };
}

function blobOf(url: string): string | undefined {
  try {
    const { target } = parseTarget(url);
    return target.kind === "blob" ? parseDigest(target.digest)?.text : undefined;
  } catch (error) {
    // The registry itself says what is wrong with the path.
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

import { createHash } from "node:crypto";
import { extname } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import { type Response, Router } from "express";

/** Where pages find their files. */
export interface AssetPaths {
  /** @throws {TypeError} for a file that is not there. */
  path(name: string): string;
}

/** The files that pages load, under names that change with what is in them. */
export interface Assets {
  /** To be mounted at `/assets`. */
  readonly router: Router;
  /** @param base Below which the portal is mounted. */
  at(base: string): AssetPaths;
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly compressed: Readonly<Record<"br" | "gzip", Buffer>>;
}

/** Reads and compresses all once: browsers keep each file for ever, since another content has another name. */
export async function openAssets(files: ReadonlyMap<string, Buffer>): Promise<Assets> {
  const hashed = new Map<string, string>();
  const assets = new Map<string, Asset>();
  for (const [name, plain] of files) {
    const extension = extname(name);
    const hash = createHash("sha256").update(plain).digest("base64url").slice(0, 12);
    const published = `${name.slice(0, -extension.length)}.${hash}${extension}`;
    const type = types[extension];
    if (type === undefined) throw new TypeError(`${name} is of no type that pages load`);
    hashed.set(name, published);
    const [br, gz] = await Promise.all([promisify(brotliCompress)(plain), promisify(gzip)(plain)]);
    assets.set(published, { type, plain, compressed: { br, gzip: gz } });
  }
  const router = Router({ caseSensitive: true });
  router.get("/:name", (request, response, next) => {
    const asset = assets.get(request.params.name);
    if (asset === undefined) return next();
    const coding = request.acceptsEncodings("br", "gzip");
    const body = coding === "br" || coding === "gzip" ? asset.compressed[coding] : undefined;
    response.set({
      "Cache-Control": "public, max-age=31536000, immutable",
      "Content-Type": asset.type,
      Vary: "Accept-Encoding",
    });
    if (body !== undefined && coding !== false) response.set("Content-Encoding", coding);
    send(response, body ?? asset.plain);
  });
  return {
    router,
    at: (base) => ({
      path(name) {
        const published = hashed.get(name);
        if (published === undefined) throw new TypeError(`there is no asset ${name}`);
        return `${base}/assets/${published}`;
      },
    }),
  };
}

function send(response: Response, body: Buffer): void {
  response.set("Content-Length", String(body.length)).end(body);
}

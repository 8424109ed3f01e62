import { fileURLToPath } from "node:url";
import type { CertificateFiles } from "../support/certificate.ts";
import { startLoggedServer } from "../support/logged-server.ts";
import { startNginx } from "../support/nginx.ts";
import { digestOf } from "../support/registry-content.ts";

/** A registry that always responds the same, as fast as it can be done, so that the proxies are what is measured. */
export interface FixedRegistry {
  /** `http://host:port`, or `https://` with TLS. */
  readonly url: string;
  close(): Promise<void>;
}

/** Of a usual size. */
export const manifest: string = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: `sha256:${"0".repeat(64)}`, size: 1470 },
  layers: Array.from({ length: 6 }, (_, index) => ({
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: `sha256:${`${index}`.repeat(64)}`,
    size: 1_000_000 * index,
  })),
});

/** The path of the one blob that a repository has. */
export function blobPath(repository: string): string {
  return `/v2/${repository}/blobs/sha256:${"1".repeat(64)}`;
}

/**
 * Every tag of every repository is {@link manifest}; the blob of a repository is the file of its name. Manifests can be
 * put, and uploads started.
 *
 * @param tls By default it is reached by plain HTTP.
 */
export async function startFixedRegistry(directory: string, tls?: CertificateFiles): Promise<FixedRegistry> {
  const { port, close } = await startNginx({
    http: (port) => `
access_log off;
sendfile on;
server {
  listen 127.0.0.1:${port}${tls === undefined ? "" : " ssl"};
  ${tls === undefined ? "" : `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`}
  client_max_body_size 0;
  keepalive_requests 1000000;
  add_header Docker-Distribution-Api-Version registry/2.0;
  location ~ ^/v2/.+/manifests/ {
    default_type application/vnd.oci.image.manifest.v1+json;
    add_header Docker-Content-Digest ${digestOf(manifest)};
    add_header Docker-Distribution-Api-Version registry/2.0;
    if ($request_method = PUT) {
      return 201;
    }
    return 200 '${manifest}';
  }
  location ~ ^/v2/.+/blobs/uploads/ {
    add_header Location /v2/team/app/blobs/uploads/1?_state=a;
    add_header Docker-Upload-UUID 1;
    add_header Range 0-0;
    return 202;
  }
  location ~ ^/v2/([a-z]+)/blobs/ {
    default_type application/octet-stream;
    alias ${directory}/$1;
  }
}`,
  });
  return { url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`, close };
}

/** Takes every body and responds with 201. */
export async function startSink(): Promise<FixedRegistry> {
  const { address, close } = await startLoggedServer({
    command: process.execPath,
    parameters: [fileURLToPath(new URL("sink.ts", import.meta.url))],
    directory: ".",
    log: "stdout",
    addressIn: ({ address }) => (typeof address === "string" ? address : undefined),
  });
  return { url: `http://${address}`, close };
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stage } from "../docker/stage.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";

/** Where the front's connections to the gate come from. Everybody else comes from 127.0.0.1. */
const frontAddress = "127.0.0.2";
const secret = "the-secret-between-nginx-and-the-gate";

/** The backend that knows people by the headers of {@link startSignOnFront}. */
export const signOnBackend = {
  type: "sso-header",
  trustedProxies: [frontAddress],
  userHeader: "X-Forwarded-User",
  groupsHeader: "X-Forwarded-Groups",
  groupsSeparator: ",",
  sharedSecret: { header: "X-Gate-Secret", value: secret },
};

/**
 * nginx in the gate's place, with the gate's name and certificate: it asks for a login by itself, in the way of the
 * recipe, and tells the gate who it is and what groups they are in.
 *
 * @param passwords The text of its password file.
 * @param members Who is in the group `pushers`.
 */
export async function startSignOnFront(stage: Stage, passwords: string, members: readonly string[]): Promise<Nginx> {
  const { gate, tls, authority } = stage;
  const [certificate, key] = await Promise.all(
    [tls.certificate, tls.key].map((name) => readFile(join(gate.directory, name), "utf8")),
  );
  return startNginx({
    files: { passwords, "server.crt": certificate ?? "", "server.key": key ?? "" },
    http: (port) => `
      map $remote_user $groups {
        default staff;
        ${members.map((member) => `${member} staff,pushers;`).join("\n        ")}
      }
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate server.crt;
        ssl_certificate_key server.key;
        client_max_body_size 0;
        location /v2/ {
          auth_basic "Registry realm";
          auth_basic_user_file passwords;
          proxy_pass ${gate.url};
          proxy_ssl_verify on;
          proxy_ssl_name localhost;
          proxy_ssl_trusted_certificate ${authority};
          proxy_bind ${frontAddress};
          proxy_http_version 1.1;
          proxy_request_buffering off;
          proxy_set_header Host $http_host;
          proxy_set_header X-Forwarded-User $remote_user;
          proxy_set_header X-Forwarded-Groups $groups;
          proxy_set_header X-Gate-Secret ${secret};
        }
      }`,
  });
}

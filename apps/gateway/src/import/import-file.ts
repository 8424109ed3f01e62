import { importApache } from "./apache/import-apache.ts";
import { type DockerAuthOptions, importDockerAuth } from "./docker-auth/import-docker-auth.ts";
import { ImportError, type Imported, type Source } from "./imported.ts";
import { importNginx } from "./nginx/import-nginx.ts";

export const kinds = ["nginx", "apache", "docker_auth"] as const;
export type Kind = (typeof kinds)[number];

/**
 * Carries a configuration of another program over.
 *
 * @param kind Default: by the content.
 * @throws {ImportError} where it cannot be told, parsed or carried over.
 */
export function importFile(source: Source, kind: Kind | undefined, options: DockerAuthOptions): Imported {
  switch (kind ?? kindOf(source)) {
    case "nginx":
      return importNginx(source);
    case "apache":
      return importApache(source);
    case "docker_auth":
      return importDockerAuth(source, options);
  }
}

function kindOf({ name, text }: Source): Kind {
  const lines = text.split("\n").map((line) => line.trim());
  const has = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  if (has(/^(?:http|server|location\b.*|upstream\b.*)\s*\{/) || has(/^(?:proxy_pass|auth_basic)\s[^:]*;/))
    return "nginx";
  if (has(/^<\/?(?:VirtualHost|Location|Limit|Directory|IfModule|Proxy)\b/i) || has(/^ProxyPass\s/i)) return "apache";
  if (has(/^(?:acl|users|ldap_auth|token|ext_auth|acl_mongo)\s*:/)) return "docker_auth";
  throw new ImportError(`${name}: neither of nginx, Apache nor docker_auth: say which it is with --from`);
}

/** What the recipe leaves to its reader. */
export interface RecipeSettings {
  readonly port: number;
  /** `host:port` of the registry. */
  readonly registry: string;
  /** Names of files beside the configuration. */
  readonly passwordFile: string;
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/**
 * The block `http` of Docker's recipe "Authenticate proxy with nginx", word for word but for the addresses, the files
 * and, where there is no `tls`, the lines about it.
 */
export function nginxRecipe({ port, registry, passwordFile, tls }: RecipeSettings): string {
  const secure =
    tls === undefined
      ? []
      : [
          `ssl_certificate ${tls.certificate};`,
          `ssl_certificate_key ${tls.key};`,
          "ssl_protocols TLSv1.1 TLSv1.2;",
          "ssl_prefer_server_ciphers on;",
          "ssl_session_cache shared:SSL:10m;",
        ];
  return `
upstream docker-registry {
  server ${registry};
}
map $upstream_http_docker_distribution_api_version $docker_distribution_api_version {
  '' 'registry/2.0';
}
server {
  listen 127.0.0.1:${port}${tls === undefined ? "" : " ssl"};
  server_name localhost;
  ${secure.join("\n  ")}
  client_max_body_size 0;
  chunked_transfer_encoding on;
  location /v2/ {
    if ($http_user_agent ~ "^(docker\\/1\\.(3|4|5(?!\\.[0-9]-dev))|Go ).*$" ) {
      return 404;
    }
    auth_basic "Registry realm";
    auth_basic_user_file ${passwordFile};
    add_header 'Docker-Distribution-Api-Version' $docker_distribution_api_version always;
    proxy_pass                          http://docker-registry;
    proxy_set_header  Host              $http_host;
    proxy_set_header  X-Real-IP         $remote_addr;
    proxy_set_header  X-Forwarded-For   $proxy_add_x_forwarded_for;
    proxy_set_header  X-Forwarded-Proto $scheme;
    proxy_read_timeout                  900;
  }
}`;
}

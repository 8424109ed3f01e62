import type { Directive } from "./parse.ts";

/** The blocks around a place, the outermost first. */
export type Chain = readonly (readonly Directive[])[];

/** All directives of a name in the innermost block that has any: what nginx inherits. */
export function inherited(chain: Chain, name: string): readonly Directive[] {
  const block = chain.findLast((directives) => directives.some((directive) => directive.name === name));
  return block?.filter((directive) => directive.name === name) ?? [];
}

/** The first parameter of the innermost directive of a name. */
export function parameterOf(chain: Chain, name: string): string | undefined {
  return inherited(chain, name).at(-1)?.parameters[0];
}

export function inBlocks(directives: readonly Directive[], name: string): readonly Directive[] {
  return directives.filter((directive) => directive.name === name && directive.block !== undefined);
}

/** Directives that the gate has no need of, because it does the same by itself, or that change nothing for clients. */
const needless: ReadonlySet<string> = new Set([
  ...["events", "user", "worker_processes", "worker_connections", "worker_rlimit_nofile", "pid", "daemon", "use"],
  ...["multi_accept", "master_process", "pcre_jit", "load_module", "error_log", "access_log", "log_format"],
  ...["log_not_found", "types", "default_type", "charset", "sendfile", "tcp_nopush", "tcp_nodelay", "server_tokens"],
  ...["types_hash_max_size", "types_hash_bucket_size", "server_names_hash_bucket_size", "keepalive", "resolver"],
  ...["variables_hash_max_size", "map_hash_bucket_size", "map_hash_max_size", "chunked_transfer_encoding", "gzip"],
  ...["keepalive_timeout", "keepalive_requests", "large_client_header_buffers", "client_header_buffer_size", "aio"],
  ...[
    "client_body_buffer_size",
    "client_body_temp_path",
    "client_body_in_file_only",
    "proxy_temp_path",
    "root",
    "index",
  ],
  ...[
    "client_body_timeout",
    "client_header_timeout",
    "send_timeout",
    "lingering_close",
    "lingering_timeout",
    "expires",
  ],
  ...["proxy_buffering", "proxy_request_buffering", "proxy_http_version", "proxy_redirect", "proxy_max_temp_file_size"],
  ...["proxy_buffers", "proxy_buffer_size", "proxy_busy_buffers_size", "proxy_send_timeout", "proxy_socket_keepalive"],
  ...["proxy_pass_request_headers", "proxy_pass_request_body", "proxy_pass_header", "proxy_ignore_client_abort"],
  ...[
    "proxy_next_upstream",
    "proxy_ssl_server_name",
    "proxy_ssl_session_reuse",
    "proxy_cache",
    "proxy_headers_hash_max_size",
  ],
  ...["ssl_prefer_server_ciphers", "ssl_session_cache", "ssl_session_timeout", "ssl_session_tickets", "ssl_dhparam"],
  ...[
    "ssl_ecdh_curve",
    "ssl_buffer_size",
    "uwsgi_temp_path",
    "fastcgi_temp_path",
    "scgi_temp_path",
    "gzip_types",
    "etag",
  ],
  ...[
    "gzip_vary",
    "gzip_proxied",
    "gzip_comp_level",
    "gzip_min_length",
    "reset_timedout_connection",
    "open_file_cache",
  ],
]);

/** What the gate sends or sets by itself. Other headers are not carried over. */
const ownHeaders =
  /^(?:host|x-real-ip|x-forwarded-(?:for|proto|host|port)|docker-distribution-api-version|connection|upgrade|x-request-id)$/i;

/** Directives that are carried over where they stand in the blocks of the registry. */
const carried: ReadonlySet<string> = new Set([
  ...[
    "http",
    "server",
    "location",
    "upstream",
    "map",
    "limit_except",
    "auth_basic",
    "auth_basic_user_file",
    "proxy_pass",
  ],
  ...[
    "ssl",
    "ssl_certificate",
    "ssl_certificate_key",
    "ssl_protocols",
    "ssl_ciphers",
    "ssl_client_certificate",
    "satisfy",
  ],
  ...["proxy_read_timeout", "proxy_connect_timeout", "listen", "proxy_ssl_trusted_certificate", "real_ip_recursive"],
  ...["real_ip_header", "set_real_ip_from", "ssl_verify_client", "include-missing"],
]);

const reasons: Readonly<Record<string, string>> = {
  server_name: "the gate responds to every name by which it is reached",
  client_max_body_size: "the gate does not limit the size of a body",
  limit_req: "the gate limits failed logins and concurrent requests itself: auth.throttle and limits",
  limit_req_zone: "the gate limits failed logins and concurrent requests itself: auth.throttle and limits",
  limit_conn: "the gate limits concurrent requests itself: limits",
  limit_conn_zone: "the gate limits concurrent requests itself: limits",
  http2: "the gate speaks HTTP/1.1 to clients",
  add_header: "the gate adds no headers of others",
  proxy_set_header:
    "the gate sends the registry only headers that it knows; a login of its own is upstream.credentials",
  proxy_ssl_verify: "the gate always verifies the registry's certificate; see upstream.ca",
  return: "only what is proxied is carried over",
};

/** How a directive by itself is dealt with: `undefined` where nothing is to be said about it. */
export function reasonNotCarried({ name, parameters }: Directive): string | undefined {
  const [first = ""] = parameters;
  if (needless.has(name) || carried.has(name)) return undefined;
  if (name === "client_max_body_size" && first === "0") return undefined;
  if ((name === "add_header" || name === "proxy_set_header") && ownHeaders.test(first)) return undefined;
  return reasons[name] ?? "has no counterpart";
}

/** Directives that cannot take a right away, so that leaving them out opens nothing. Of others that is not known. */
const harmless: ReadonlySet<string> = new Set([
  ...Object.keys(reasons),
  ...["if", "allow", "deny", "auth_request", "auth_request_set", "set", "error_page", "limit_rate", "limit_rate_after"],
  ...["limit_req_status", "limit_conn_status", "ssl_stapling", "ssl_stapling_verify", "ssl_trusted_certificate"],
  ...["underscores_in_headers", "ignore_invalid_headers", "merge_slashes", "msie_padding", "try_files", "proxy_bind"],
  ...[
    "proxy_hide_header",
    "proxy_ssl_name",
    "proxy_ssl_protocols",
    "proxy_ssl_verify_depth",
    "ssl_verify_depth",
    "ssl_crl",
  ],
  ...["proxy_intercept_errors", "proxy_cookie_path", "proxy_cookie_domain", "ssl_early_data", "ssl_conf_command"],
  ...["absolute_redirect", "port_in_redirect", "server_name_in_redirect", "http2_max_concurrent_streams"],
]);

const harmlessKinds = /^(?:gzip|proxy_cache|open_file_cache|fastcgi|uwsgi|scgi|auth_delay)(?:_|$)/;

/** Whether a directive may refuse requests in a way that cannot be carried over. */
export function mayRestrict(directive: Directive): boolean {
  const { name } = directive;
  if (name === "include-missing") return true;
  return !needless.has(name) && !carried.has(name) && !harmless.has(name) && !harmlessKinds.test(name);
}

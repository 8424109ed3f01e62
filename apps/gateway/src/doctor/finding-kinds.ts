import type { FindingId, FindingKind } from "./finding.ts";

const trustStores =
  "docker reads it from /etc/docker/certs.d/HOST:PORT/ca.crt, podman and skopeo from /etc/containers/certs.d/HOST:PORT/ca.crt, " +
  'containerd from the line ca = "FILE" in /etc/containerd/certs.d/HOST:PORT/hosts.toml; or add it to the trust store of the ' +
  "system and restart docker";

/** Every kind of finding. docs/doctor.md has the same texts. */
export const findingKinds: Readonly<Record<FindingId, FindingKind>> = {
  unreachable: {
    severity: "failed",
    breaks: "No client gets a connection.",
    mend: "Start the gate, or correct host and port; look at DNS, the firewall and listen.address, which must not be a loopback address if clients come from other machines.",
  },
  "no-response": {
    severity: "failed",
    breaks: "Every client says EOF or connection reset.",
    mend: "Find in the log of the front why it closes the connection: it limits requests or does not reach the gate. In the log of the gate, find whether the request arrived.",
  },
  "http-on-tls-port": {
    severity: "failed",
    breaks:
      "Clients that come by http:// (insecure-registries, --plain-http) get no registry on a port that speaks TLS.",
    mend: "Use the https:// URL; remove the host from docker's insecure-registries, and insecure = true from registries.conf.",
  },
  "tls-on-http-port": {
    severity: "failed",
    breaks: "docker, podman and containerd begin with TLS and say: server gave HTTP response to HTTPS client.",
    mend: "Set listen.tls at the gate, or ssl on the listen line of the front; a balancer that passes TCP through must not end TLS itself.",
  },
  "plain-http": {
    severity: "warning",
    breaks:
      "docker, podman and containerd refuse plain HTTP outside of localhost, and the password crosses the network in clear text.",
    mend: "Set listen.tls at the gate, or end TLS at a front.",
  },
  "http2-only": {
    severity: "failed",
    breaks:
      "Clients without HTTP/2 get no response: HTTP/1.1 is what all registry clients share, and what curl --http1.1 and older proxies speak.",
    mend: "Let the front offer http/1.1 beside h2 by ALPN; on a plain port, HTTP/1.1.",
  },
  "http-1.0": {
    severity: "failed",
    breaks: "HTTP/1.0 has no chunked bodies: docker cannot upload a layer, whose length it does not know before.",
    mend: "Let the front speak HTTP/1.1 to clients and to the gate (nginx: proxy_http_version 1.1).",
  },
  "certificate-authority": {
    severity: "failed",
    breaks: "Clients say: x509: certificate signed by unknown authority.",
    mend: `Give each client the certificate of the authority that signed it: ${trustStores}. If that authority is an intermediate one, the server must send it too.`,
  },
  "certificate-chain": {
    severity: "failed",
    breaks:
      "Browsers fetch or remember intermediate certificates, but docker, containerd and podman do not: x509: certificate signed by unknown authority.",
    mend: "Append the intermediate certificates to listen.tls.certificate, or to the file of the front (nginx: ssl_certificate takes the full chain), the server's own first.",
  },
  "certificate-expired": {
    severity: "failed",
    breaks: "Every client says: x509: certificate has expired or is not yet valid.",
    mend: "Renew the certificate and put it in place; the gate follows its files without a restart, a front may need a reload. If it is valid, mend the clock of the client.",
  },
  "certificate-not-yet-valid": {
    severity: "failed",
    breaks: "Every client says: x509: certificate has expired or is not yet valid.",
    mend: "Mend the clock of the client, or of the machine that issued the certificate.",
  },
  "certificate-name": {
    severity: "failed",
    breaks:
      "Every client says: x509: certificate is valid for other names. Go clients look at the subject alternative names only, never at the common name.",
    mend: "Issue the certificate for the name that clients use, as a subject alternative name (an IP address as an IP), or let clients use a name that it has.",
  },
  "tls-handshake": {
    severity: "failed",
    breaks: "No client can begin TLS.",
    mend: "Compare protocol versions and ciphers of both sides (listen.tls.minVersion, listen.tls.ciphers), and whether the server demands a certificate of the client (listen.tls.clientAuth).",
  },
  "clock-skew": {
    severity: "failed",
    breaks:
      "docker takes fresh tokens for expired and asks for a new one before each request; certificates and tokens seem not valid yet or expired.",
    mend: "Let both machines follow NTP (timedatectl set-ntp true).",
  },
  "version-header": {
    severity: "failed",
    breaks:
      "Older docker clients and many tools tell a registry of API version 2 by Docker-Distribution-Api-Version, and fall back to version 1 without it.",
    mend: "The gate sends the header: let the front pass it on (no proxy_hide_header), or add it (nginx: add_header Docker-Distribution-Api-Version registry/2.0 always).",
  },
  "not-a-registry": {
    severity: "failed",
    breaks: "No client finds a registry at this address.",
    mend: "Correct the URL, or the front's routing: /v2/ must reach the gate with its path unchanged, at the root of the host.",
  },
  "login-page": {
    severity: "failed",
    breaks:
      "A page for browsers stands where docker expects 401 with WWW-Authenticate: docker login cannot begin, and pushes end in an unexpected HTML page.",
    mend: "Let the front pass /v2/ to the gate without its own sign-in (oauth2-proxy: --skip-auth-route=^/v2/), and pass the gate's 401 on as it is (nginx: no error_page 401, no proxy_intercept_errors in that location).",
  },
  "html-errors": {
    severity: "failed",
    breaks:
      "Clients read errors as JSON: docker shows the page in place of the reason, and tools that tell manifest unknown from denied by its code fail.",
    mend: "Let the front pass errors of /v2/ on as they are (nginx: proxy_intercept_errors off, no error_page in that location).",
  },
  cached: {
    severity: "failed",
    breaks: "One user gets what another one was allowed, and a tag that was pushed or deleted shows late.",
    mend: "Turn caching off for /v2/ at the front or CDN (nginx: proxy_cache off, no proxy_ignore_headers Cache-Control).",
  },
  "no-challenge": {
    severity: "failed",
    breaks:
      "docker sends no password before it is asked by a Basic or Bearer challenge: a login ends in no basic auth credentials.",
    mend: "The gate sends WWW-Authenticate with each 401: let the front pass it on, once, and remove other challenges (Negotiate, NTLM) from /v2/.",
  },
  "realm-invalid": {
    severity: "failed",
    breaks: "docker and containerd need an absolute URL as the realm of a Bearer challenge, and get no token.",
    mend: "Set auth.token.realm to the full URL of the token endpoint, such as https://HOST:PORT/v2/auth.",
  },
  "realm-http": {
    severity: "failed",
    breaks: "Clients send the password to the realm in clear text, or reach a port that does not speak HTTP.",
    mend: "Let the front send X-Forwarded-Proto $scheme and name it in listen.trustedProxies, or set auth.token.realm to https://HOST:PORT/v2/auth.",
  },
  "realm-host": {
    severity: "failed",
    breaks: "Clients ask for a token at a host that only the front or the gate can reach.",
    mend: "Let the front pass the Host header on (nginx: proxy_set_header Host $http_host), or set auth.token.realm to https://HOST:PORT/v2/auth.",
  },
  "realm-unreachable": {
    severity: "failed",
    breaks: "docker login ends in a connection error to the realm: no client gets a token.",
    mend: "Open that address to clients, or set auth.token.realm to one that they reach, such as https://HOST:PORT/v2/auth.",
  },
  "anonymous-basic": {
    severity: "failed",
    breaks:
      "docker takes a Basic challenge for an order to log in, so that it pulls nothing without a login, whatever the rules for anonymous say.",
    mend: "Set auth.challenge to auto or bearer.",
  },
  "token-unusable": {
    severity: "failed",
    breaks: "docker and containerd cannot read a token from the response of the token endpoint.",
    mend: "Let the front pass the token endpoint (/v2/auth of the gate) on without a change; where auth.token.realm names another server, mend that.",
  },
  "token-times": {
    severity: "failed",
    breaks:
      "A client, or a registry that verifies tokens, takes the token for not valid yet or for expired: pushes end in unauthorized.",
    mend: "Let all machines follow NTP, and keep auth.token.ttl at 60s or more.",
  },
  "login-rejected": {
    severity: "failed",
    breaks: "docker login says: unauthorized.",
    mend: "Type the password again; registry-gate check --config FILE --connect --user NAME tells at the gate whether the user is unknown or the password wrong. If it is right there, a front drops or replaces the header Authorization.",
  },
  "authorization-lost": {
    severity: "failed",
    breaks: "A right password is refused, because the gate never sees it: docker login says unauthorized to everybody.",
    mend: "Let the front pass the header Authorization on (nginx: no proxy_set_header Authorization; Apache: CGIPassAuth or no auth of its own) and not sign in itself on /v2/.",
  },
  throttled: {
    severity: "failed",
    breaks:
      "After too many failed logins the gate refuses further ones of this user from this address (429), also with the right password.",
    mend: "Wait as long as Retry-After says; find the job that has an old password in the log. If all clients have the address of the front, name it in listen.trustedProxies, so that their own addresses count.",
  },
  "backend-down": {
    severity: "failed",
    breaks: "Nobody can sign in whose login is not remembered.",
    mend: "registry-gate check --config FILE --connect says at the gate which server of auth.backends does not respond, and why.",
  },
  unavailable: {
    severity: "failed",
    breaks: "Clients try again a few times, then give up with 503.",
    mend: "Look at the gate's log for the request: a limit is reached (limits.inFlight, upstream.maxConnections), or the gate is stopping.",
  },
  "registry-down": {
    severity: "failed",
    breaks: "The gate works, but the registry behind it does not: every pull and push ends in 502 or 504.",
    mend: "Start the registry, or correct upstream.url, upstream.ca and upstream.credentials; registry-gate check --config FILE --connect tells which.",
  },
  "gate-down": {
    severity: "failed",
    breaks: "The front responds, but does not reach the gate: every client gets 502, 503 or 504 of the front.",
    mend: "Start the gate, or correct the address of the gate in the front; compare it with listen.address, and http with https.",
  },
  "read-only": {
    severity: "failed",
    breaks: "Pushes and deletions are refused for now; pulls work.",
    mend: "Wait until maintenance is over, or end it (storage.maintenance.readonly of the registry; read-only maintenance of the gate).",
  },
  "no-push-right": {
    severity: "failed",
    breaks: "docker push says: denied: requested access to the resource is denied.",
    mend: "registry-gate explain --config FILE --user NAME push REPOSITORY tells which rule is missing; or name a repository of the user's with --repository.",
  },
  "no-pull-right": {
    severity: "failed",
    breaks: "Who pushed cannot pull, and docker pushes no layer that it cannot look for: docker pull says denied.",
    mend: "Allow pull beside push in the rule; registry-gate explain --config FILE --user NAME pull REPOSITORY tells which rule is missing.",
  },
  "header-limit": {
    severity: "failed",
    breaks:
      "Tokens of users with many groups are as long: their requests end in 400, 413, 431 or a closed connection, and only theirs.",
    mend: "Allow 16 KiB for the head of a request at the front (nginx: large_client_header_buffers 4 16k; HAProxy: tune.bufsize).",
  },
  "location-missing": {
    severity: "failed",
    breaks: "Clients do not learn where to send the layer: docker push stops at the first one.",
    mend: "Let the front pass the header Location on (nginx: no proxy_hide_header Location).",
  },
  "location-scheme": {
    severity: "failed",
    breaks:
      "docker follows Location as it stands: it sends the layer to a port that speaks the other protocol, and the push hangs or ends in 400.",
    mend: "Let the front send X-Forwarded-Proto $scheme to the gate or registry, and rewrite no Location (nginx: proxy_redirect off).",
  },
  "location-host": {
    severity: "failed",
    breaks: "docker sends the layer to a host that only the front reaches: the push hangs.",
    mend: "Let the front pass the Host header on (nginx: proxy_set_header Host $http_host) and rewrite no Location (proxy_redirect off); remove http.host from the registry's configuration.",
  },
  "location-port": {
    severity: "failed",
    breaks: "docker sends the layer to the wrong port of the right host.",
    mend: "Pass the port on in the Host header (nginx: $http_host, not $host) and rewrite no Location (proxy_redirect off).",
  },
  "location-outside": {
    severity: "failed",
    breaks: "Location leads outside of /v2/, where clients find no registry.",
    mend: "Let the front pass paths and Location on unchanged: a registry has no prefix before /v2/.",
  },
  "chunked-refused": {
    severity: "failed",
    breaks: "docker and podman send layers in chunks, without a Content-Length: the front refuses them (411, 501).",
    mend: "Allow chunked request bodies at the front or web application firewall.",
  },
  "body-limit-front": {
    severity: "failed",
    breaks: "docker push says 413 Request Entity Too Large for every larger layer.",
    mend: 'Lift the limit at the front (nginx: client_max_body_size 0; ingress-nginx: nginx.ingress.kubernetes.io/proxy-body-size: "0").',
  },
  "body-limit-behind": {
    severity: "failed",
    breaks: "docker push says 413 for every larger layer; the refusal is one of a registry, not of a front.",
    mend: "Lift the limit of the registry behind the gate, or of a proxy between both.",
  },
  "body-buffered": {
    severity: "warning",
    breaks:
      "The front stores each layer whole before it passes it on: its disk fills, refusals come late, and large layers run into the time limit of the client or front.",
    mend: 'Let the front pass bodies on at once (nginx: proxy_request_buffering off and proxy_http_version 1.1; ingress-nginx: nginx.ingress.kubernetes.io/proxy-request-buffering: "off").',
  },
  "slow-cut": {
    severity: "failed",
    breaks: "Uploads over slow lines are cut: docker push begins the layer again and again.",
    mend: "Raise the time limits of the front to those of the gate, 900s (nginx: client_body_timeout, proxy_send_timeout, proxy_read_timeout; Traefik: respondingTimeouts.readTimeout; HAProxy: timeout client, timeout server). The gate itself cuts off what sends less than limits.minRate.",
  },
  "expect-refused": {
    severity: "warning",
    breaks: "curl, and clients in Java and .NET, ask with Expect: 100-continue before a large body, and fail.",
    mend: "Let the front answer Expect with 100 or pass it on, in place of 417 or a closed connection.",
  },
  "content-changed": {
    severity: "failed",
    breaks: "Clients verify each digest: docker pull says that the digest does not match.",
    mend: "Let the front change no content on /v2/: no compression, no rewriting, no virus scanner that replaces bodies.",
  },
  "redirect-unreachable": {
    severity: "failed",
    breaks:
      "The registry sends clients to its storage for each layer, at an address that they do not reach: pulls hang.",
    mend: "Open the storage to clients, or turn redirects off in the registry (storage.redirect.disable: true).",
  },
  "around-gate": {
    severity: "failed",
    breaks: "Anybody who reaches that address pulls and pushes without a login, whatever the rules say.",
    mend: "Let the registry listen on 127.0.0.1 or on a network of its own with the gate, publish no port of it, and let a firewall or NetworkPolicy admit the gate alone; or give the registry a login (upstream.credentials).",
  },
  "registry-open": {
    severity: "warning",
    breaks: "A registry responds there without a login: if clients can reach that address, they pass the gate by.",
    mend: "See to it that the gate alone reaches the address: a loopback address, a network of their own, a firewall or NetworkPolicy; or give the registry a login (upstream.credentials).",
  },
  "left-behind": {
    severity: "failed",
    breaks: "Something of the trial image is still in the registry.",
    mend: "Remove it by hand: docker, skopeo delete or the registry's own tools.",
  },
  "unexpected-response": {
    severity: "failed",
    breaks: "A client stops at this response.",
    mend: "Find the request in the log of the gate by its X-Request-Id; if it is not there, the front responded.",
  },
};

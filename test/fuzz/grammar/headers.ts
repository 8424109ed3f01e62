import fc from "fast-check";
import type { HeaderLine } from "../case/fuzz-case.ts";
import { basicOf } from "../client/credentials.ts";
import { spaces, strangers } from "./spaces.ts";

/** Headers that a registry's client sends. */
export const properHeader: fc.Arbitrary<HeaderLine> = fc.constantFrom<HeaderLine>(
  ["Accept", "application/vnd.oci.image.manifest.v1+json, application/json;q=0.5"],
  ["Accept", "*/*"],
  ["Accept-Encoding", "identity"],
  ["Accept-Language", "en"],
  ["Cache-Control", "no-cache"],
  ["If-None-Match", '"abc"'],
  ["User-Agent", "docker/29.1.2 go/go1.25.1 UpstreamClient(Docker-Client/29.1.2 \\(linux\\))"],
  ["X-Request-Id", "0f0c5ff3-2f2f-4f2f-9f2f-0f0c5ff32f2f"],
  ["Connection", "keep-alive"],
  ["Cookie", "session=1"],
);

const names = [
  "Accept",
  "Accept-Encoding",
  "Accept-Language",
  "Cache-Control",
  "Connection",
  "Content-Encoding",
  "Content-Range",
  "Content-Type",
  "Cookie",
  "If-Match",
  "If-Modified-Since",
  "If-None-Match",
  "If-Range",
  "If-Unmodified-Since",
  "Origin",
  "Pragma",
  "Range",
  "Referer",
  "Sec-Fetch-Site",
  "Traceparent",
  "Tracestate",
  "User-Agent",
  "X-Forwarded-For",
  "X-Forwarded-Host",
  "X-Forwarded-Proto",
  "X-Real-Ip",
  "X-Request-Id",
] as const;

/** Headers that would change who asks, where to, or where the request ends, if anybody believed them. */
const dangerous = fc.constantFrom<HeaderLine>(
  ["Authorization", basicOf("alice")],
  ["Authorization ", basicOf("alice")],
  ["Proxy-Authorization", basicOf("alice")],
  ["Host", "registry.example.com"],
  ["Host", "localhost:1"],
  ["Connection", "close"],
  ["Connection", "Upgrade, HTTP2-Settings"],
  ["Connection", "X-Forwarded-For, X-Real-Ip, Host, Content-Length"],
  ["Upgrade", "h2c"],
  ["Upgrade", "websocket"],
  ["HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA"],
  ["Expect", "100-continue"],
  ["Expect", "100-Continue"],
  ["Expect", "200-ok"],
  ["Expect", "100-continue, x"],
  ["TE", "trailers, chunked"],
  ["Trailer", "Content-Length, Authorization"],
  ["Keep-Alive", "timeout=0"],
  ["Content-Length", "0"],
  ["Content_Length", "5"],
  ["Transfer-Encoding", "identity"],
  ["Transfer_Encoding", "chunked"],
  ["Content-Type", "application/x-www-form-urlencoded"],
  ["Content-Type", "multipart/form-data; boundary=x"],
  ["Content-Encoding", "gzip"],
  ["X-HTTP-Method-Override", "DELETE"],
  ["X-Original-URL", "/v2/alice/x/manifests/latest"],
  ["X-Forwarded-User", "alice"],
  ["X_Forwarded_User", "alice"],
  ["Remote-User", "alice"],
  ["X-Forwarded-For", "127.0.0.1"],
  ["X-Real-Ip", "127.0.0.1"],
  ["Forwarded", "for=127.0.0.1"],
  ["Range", "bytes=0-1,2-3,4-5,6-"],
  ["X-Request-Id", "a\r\n\tfolded: yes"],
  ["Accept", "a\nX-Forwarded-User: alice"],
  ["Accept", "a\rX-Forwarded-User: alice"],
  ["", "no name"],
  ["Folded", "a\r\n b"],
);

/** Types that somebody might take for a form's. */
export const nearForm: fc.Arbitrary<HeaderLine> = fc
  .tuple(
    fc.constantFrom(...spaces, ...strangers, ""),
    fc.constantFrom(
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "APPLICATION/X-WWW-FORM-URLENCODED",
    ),
    fc.constantFrom(...spaces, ...strangers, "", ";", ";a", "; charset=utf-8", ","),
  )
  .map(([before, type, after]): HeaderLine => ["Content-Type", `${before}${type}${after}`]);

const strangeValue = fc
  .tuple(
    fc.constantFrom(...names),
    fc.constantFrom("", "a", "bytes=0-1", "text/plain", "x".repeat(8000)),
    fc.constantFrom(...spaces, ...strangers),
    fc.boolean(),
  )
  .map(([name, text, stranger, before]): HeaderLine => [name, before ? stranger + text : text + stranger]);

const strangeName = fc
  .tuple(fc.constantFrom(...names), fc.constantFrom(...spaces, ...strangers))
  .map(([name, stranger]): HeaderLine => [`${name}${stranger}`, "a"]);

const twice = fc.constantFrom(...names).map((name): HeaderLine => [name, `a\r\n${name}: b`]);

/** Headers that an attacker sends. */
export const oddHeader: fc.Arbitrary<HeaderLine> = fc.oneof(
  { weight: 10, arbitrary: dangerous },
  { weight: 5, arbitrary: nearForm },
  { weight: 6, arbitrary: strangeValue },
  { weight: 1, arbitrary: strangeName },
  { weight: 2, arbitrary: twice },
  { weight: 1, arbitrary: fc.constant<HeaderLine>(["X-Many", "1\r\nX-Many: 1".repeat(200)]) },
);

/** The headers in which a front names the user and the groups, as it writes them. */
export interface IdentityHeaders {
  readonly user: string;
  readonly groups: string;
}

/** Something that a client does to be taken for somebody else: for `admin`, or for one of the group `pushers`. */
export interface Trick {
  readonly name: string;
  /** Lines of the request's head. */
  readonly lines: (headers: IdentityHeaders) => readonly string[];
  /** In place of an empty body; its framing is among the lines. */
  readonly body?: (headers: IdentityHeaders) => string;
}

const value = (name: string, written: string): Trick => ({ name, lines: ({ user }) => [`${user}: ${written}`] });
const header = (name: string, written: (user: string) => string): Trick => ({
  name,
  lines: ({ user }) => [`${written(user)}: admin`],
});
const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
const chunked = "Transfer-Encoding: chunked";
/** A whole request of its own, which must not be taken for one. */
const smuggled = ({ user }: IdentityHeaders): string =>
  `POST /v2/team/smuggled/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\n${user}: admin\r\nContent-Length: 0\r\n\r\n`;
const around = (headers: IdentityHeaders): string => `0\r\n\r\n${smuggled(headers)}`;

/** Text is written as Latin-1, so that each character is a byte. */
export const tricks: readonly Trick[] = [
  header("the user header as the front writes it", (user) => user),
  header("in lower case", (user) => user.toLowerCase()),
  header("in upper case", (user) => user.toUpperCase()),
  header("with underscores for hyphens", (user) => user.replaceAll("-", "_")),
  header("with hyphens for underscores", (user) => user.replaceAll("_", "-")),
  header("with dots", (user) => user.replaceAll(/[-_]/g, ".")),
  header("with a blank before the colon", (user) => `${user} `),
  header("with a tab before the colon", (user) => `${user}\t`),
  header("with a NUL in its name", (user) => `${user}\0`),
  header("beyond ASCII", (user) => `${user}${utf8("ｘ")}`),
  header("percent-encoded", (user) => user.replace(/[-_]/, "%2D")),
  { name: "twice", lines: ({ user }) => [`${user}: admin`, `${user}: admin`] },
  { name: "twice, in two cases", lines: ({ user }) => [`${user}: mallory`, `${user.toUpperCase()}: admin`] },
  { name: "first of all", lines: ({ user }) => [`${user}: admin`, "X-Other: 1", `${user}: mallory`] },
  { name: "the groups header alone", lines: ({ groups }) => [`${groups}: pushers`] },
  { name: "the groups header twice", lines: ({ groups }) => [`${groups}: staff`, `${groups}: pushers`] },
  { name: "both", lines: ({ user, groups }) => [`${user}: admin`, `${groups}: pushers`] },
  value("a list of names", "mallory, admin"),
  value("an empty name", ""),
  value("a blank name", " "),
  value("a percent-encoded name", "%61dmin"),
  value("an encoded word", "=?utf-8?q?admin?="),
  value("a name in full width", utf8("ａｄｍｉｎ")),
  value("a name with an invisible character", utf8("admin\u200b")),
  value("a name in Latin-1", "adm\u00edn"),
  value("a name that is not UTF-8", "admin\u00ff\u00fe"),
  value("a name with a control", "admin\u0007"),
  value("a name with a NUL", "admin\0"),
  value("a name with a bare line feed", "mallory\nX-Other: admin"),
  value("the name that Apache writes for none", "(null)"),
  { name: "on a folded line", lines: ({ user }) => ["X-Other: 1", ` ${user}: admin`] },
  { name: "after a bare line feed", lines: ({ user }) => [`X-Other: 1\n${user}: admin`] },
  { name: "after a bare carriage return", lines: ({ user }) => [`X-Other: 1\r${user}: admin`] },
  { name: "the header named by Connection", lines: ({ user }) => [`Connection: close, ${user}`, `${user}: admin`] },
  {
    name: "Connection naming the front's headers",
    lines: ({ user, groups }) => [`Connection: close, ${user}, ${groups}`],
  },
  { name: "Connection naming the secret", lines: ({ user }) => ["Connection: close, X-Gate-Secret", `${user}: admin`] },
  { name: "a made-up secret", lines: ({ user }) => [`${user}: admin`, "X-Gate-Secret: 0123456789abcdef"] },
  {
    name: "a trailer",
    lines: ({ user }) => [chunked, `Trailer: ${user}`],
    body: ({ user }) => `0\r\n${user}: admin\r\n\r\n`,
  },
  {
    name: "a trailer that is not announced",
    lines: () => [chunked, "TE: trailers"],
    body: ({ user, groups }) => `0\r\n${user}: admin\r\n${groups}: pushers\r\n\r\n`,
  },
  { name: "a forged X-Forwarded-For", lines: ({ user }) => [`${user}: admin`, "X-Forwarded-For: 127.0.0.2"] },
  { name: "a forged Forwarded", lines: ({ user }) => [`${user}: admin`, "Forwarded: for=127.0.0.2;by=127.0.0.2"] },
  { name: "a forged X-Real-IP", lines: ({ user }) => [`${user}: admin`, "X-Real-IP: 127.0.0.2"] },
  {
    name: "the headers of other products",
    lines: () => [
      ...["Remote-User: admin", "Remote_User: admin", "X-Remote-User: admin", "X-Auth-Request-User: admin"],
      ...["X-Authenticated-User: admin", "X-WEBAUTH-USER: admin", "X-User: admin", "X-Groups: pushers"],
      ...["Cf-Access-Authenticated-User-Email: admin", "Tailscale-User-Login: admin", "REMOTE_USER: admin"],
    ],
  },
  { name: "a made-up session", lines: () => ["Cookie: session=admin; mod_auth_openidc_session=admin"] },
  {
    name: "an upgrade to HTTP/2",
    lines: ({ user }) => [`${user}: admin`, "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"],
  },
  { name: "a wrong password", lines: () => [`Authorization: Basic ${btoa("admin:admin")}`] },
  {
    name: "a request inside the body, by length and by chunks",
    lines: (headers) => [chunked, `Content-Length: ${around(headers).length}`],
    body: around,
  },
  {
    name: "a request inside the body, by chunks twice",
    lines: () => [chunked, "Transfer-Encoding: identity"],
    body: around,
  },
  {
    name: "a request inside the body, by a coding nobody knows",
    lines: (headers) => ["Transfer-Encoding: xchunked", `Content-Length: ${around(headers).length}`],
    body: around,
  },
  {
    name: "a request inside the body, by a blank before the colon",
    lines: (headers) => ["Transfer-Encoding : chunked", `Content-Length: ${around(headers).length}`],
    body: around,
  },
  {
    name: "a request inside a chunk's extension",
    lines: () => [chunked],
    body: (headers) => `0;a=\n${smuggled(headers)}\r\n\r\n`,
  },
];

/**
 * The bytes of a request that begins a push with a trick.
 *
 * @param more Lines that the client sends as well, such as its session.
 */
export function pushWith(
  { lines, body }: Trick,
  headers: IdentityHeaders,
  repository: string,
  more: readonly string[],
): Buffer {
  const own = lines(headers);
  const connection = own.some((line) => /^connection:/i.test(line)) ? [] : ["Connection: close"];
  const framing = body === undefined ? ["Content-Length: 0"] : [];
  const target = `POST /v2/${repository}/blobs/uploads/ HTTP/1.1`;
  const head = [target, "Host: localhost", ...more, ...own, ...connection, ...framing];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body?.(headers) ?? ""}`, "latin1");
}

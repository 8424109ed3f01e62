/** A response as a strict reader finds it in the bytes of a connection. */
export interface ReceivedResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** A character is a byte. */
  readonly body: string;
  /** Whether it has come whole. */
  readonly complete: boolean;
}

export interface ReadResponses {
  /** The final ones, in their order. */
  readonly responses: readonly ReceivedResponse[];
  /** Why the bytes are not HTTP/1.1; `undefined` where they are, also where they break off. */
  readonly fault: string | undefined;
}

interface Body {
  readonly text: string;
  readonly length: number;
  readonly complete: boolean;
}

/** Reads responses strictly (RFC 9112): where this cannot, a proxy in front of the gate could be led astray. */
export function readResponses(bytes: string, methods: readonly string[], ended: boolean): ReadResponses {
  const responses: ReceivedResponse[] = [];
  let rest = bytes;
  while (rest !== "") {
    const end = rest.indexOf("\r\n\r\n");
    if (end === -1) return { responses, fault: partialFault(rest) };
    const [statusLine = "", ...lines] = rest.slice(0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*$/.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) return { responses, fault: `no status line: ${shown(statusLine)}` };
    const odd = lines.find((line) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/.test(line));
    if (odd !== undefined) return { responses, fault: `no header: ${shown(odd)}` };
    const headers = new Map(lines.map((line) => [nameOf(line), line.replace(/^[^:]*:\s*/, "")]));
    for (const name of ["content-length", "transfer-encoding"]) {
      if (lines.filter((line) => nameOf(line) === name).length > 1) return { responses, fault: `${name} twice` };
    }
    if (headers.has("content-length") && headers.has("transfer-encoding"))
      return { responses, fault: "a length beside chunks" };
    rest = rest.slice(end + 4);
    if (status < 200) {
      if (status === 101) return { responses, fault: "the protocol was switched" };
      continue;
    }
    const method = methods[responses.length];
    if (method === undefined) return { responses, fault: `a response to no request: ${status}` };
    // To a request that could not be read the gate cannot know that it was HEAD; the connection ends with its response.
    const asked = method === "HEAD" && status >= 400 && headers.get("connection") === "close" ? "GET" : method;
    const body = bodyOf(rest, status, rest === "" ? method : asked, headers, ended);
    if (typeof body === "string") return { responses, fault: body };
    responses.push({ status, headers, body: body.text, complete: body.complete });
    if (!body.complete) return { responses, fault: undefined };
    rest = rest.slice(body.length);
  }
  return { responses, fault: undefined };
}

/** What has come of a head is the beginning of one. */
function partialFault(rest: string): string | undefined {
  const beginning = "HTTP/1.1 ";
  return beginning.startsWith(rest.slice(0, beginning.length)) ? undefined : `bytes between responses: ${shown(rest)}`;
}

/** @returns a fault, where it is a text. */
function bodyOf(
  rest: string,
  status: number,
  method: string,
  headers: ReadonlyMap<string, string>,
  ended: boolean,
): Body | string {
  if (method === "HEAD" || status === 204 || status === 304) return { text: "", length: 0, complete: true };
  const coding = headers.get("transfer-encoding");
  if (coding !== undefined) return coding === "chunked" ? chunksOf(rest) : `an unknown coding: ${shown(coding)}`;
  const length = headers.get("content-length");
  if (length === undefined) return { text: rest, length: rest.length, complete: ended };
  if (!/^\d{1,15}$/.test(length)) return `no length: ${shown(length)}`;
  return { text: rest.slice(0, Number(length)), length: Number(length), complete: rest.length >= Number(length) };
}

function chunksOf(rest: string): Body | string {
  const chunks: string[] = [];
  const partial = (): Body => ({ text: chunks.join(""), length: rest.length, complete: false });
  let at = 0;
  for (;;) {
    const end = rest.indexOf("\r\n", at);
    if (end === -1) return partial();
    const size = /^[0-9a-f]{1,8}$/i.exec(rest.slice(at, end))?.[0];
    if (size === undefined) return `no size of a chunk: ${shown(rest.slice(at, end))}`;
    const length = Number.parseInt(size, 16);
    const data = end + 2;
    at = data + length + 2;
    if (rest.length < at) return partial();
    if (rest.slice(at - 2, at) !== "\r\n") return "a chunk is longer than its size";
    if (length === 0) return { text: chunks.join(""), length: at, complete: true };
    chunks.push(rest.slice(data, data + length));
  }
}

function nameOf(line: string): string {
  return line.replace(/:.*$/s, "").toLowerCase();
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 120));
}

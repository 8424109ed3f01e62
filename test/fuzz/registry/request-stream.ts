/**
 * Reads requests from the bytes of a connection as leniently as Go's `net/http` and its relatives ever did: a line may end
 * in LF alone, folded lines are joined, chunks count for more than a length, the size of a chunk may be followed by
 * anything. Whatever a gate lets through that is ambiguous becomes another request here.
 */
export interface RequestStream {
  /** @param bytes A character is a byte. */
  read(bytes: string): void;
  /** Tells it to go on, after a request that it has given. */
  next(): void;
}

export interface ReceivedHead {
  readonly method: string;
  readonly target: string;
  /** As it came, with everything between two lines. */
  readonly text: string;
  /** Names in lower case, values trimmed. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface RequestReceiver {
  head(head: ReceivedHead): void;
  /** Its body has come whole. Nothing further is read until {@link RequestStream.next}. */
  complete(head: ReceivedHead, body: string): void;
  /** What came is no request by the most lenient reading. */
  malformed(bytes: string): void;
}

/** Of a body, how much is kept to be looked at. */
const mostKept = 1_048_576;

type Expected =
  | { readonly kind: "head" }
  | { readonly kind: "length"; left: number }
  | { readonly kind: "size" }
  | { readonly kind: "chunk"; left: number }
  | { readonly kind: "trailers" }
  | { readonly kind: "nothing" };

export function requestStream(receiver: RequestReceiver): RequestStream {
  let text = "";
  let expected: Expected = { kind: "head" };
  let head: ReceivedHead | undefined;
  let body = "";

  function keep(chunk: string): void {
    if (body.length < mostKept) body += chunk;
  }

  function finish(): void {
    if (head === undefined) return;
    expected = { kind: "nothing" };
    receiver.complete(head, body);
  }

  /** @returns the line without its end; `undefined` where it has not come whole. */
  function takeLine(): string | undefined {
    const end = text.indexOf("\n");
    if (end === -1) return undefined;
    const line = text.slice(0, end).replace(/\r$/, "");
    text = text.slice(end + 1);
    return line;
  }

  function takeBytes(most: number): number {
    const count = Math.min(most, text.length);
    keep(text.slice(0, count));
    text = text.slice(count);
    return count;
  }

  /** @returns whether there may be more to do. */
  function step(): boolean {
    switch (expected.kind) {
      case "head":
        return readHead();
      case "length":
        expected.left -= takeBytes(expected.left);
        if (expected.left === 0) finish();
        return false;
      case "size": {
        const line = takeLine();
        if (line === undefined) return false;
        if (line.trim() === "") return true;
        const size = Number.parseInt(line.replace(/;.*/s, "").trim(), 16);
        if (Number.isNaN(size) || size < 0) {
          expected = { kind: "nothing" };
          receiver.malformed(line);
          return false;
        }
        expected = size === 0 ? { kind: "trailers" } : { kind: "chunk", left: size };
        return true;
      }
      case "chunk":
        expected.left -= takeBytes(expected.left);
        if (expected.left > 0) return false;
        expected = { kind: "size" };
        return true;
      case "trailers": {
        const line = takeLine();
        if (line === undefined) return false;
        if (line === "") finish();
        return true;
      }
      case "nothing":
        return false;
    }
  }

  function readHead(): boolean {
    const end = /\r?\n\r?\n/.exec(text);
    if (end === null) return false;
    const whole = text.slice(0, end.index);
    text = text.slice(end.index + end[0].length);
    const [requestLine = "", ...lines] = whole.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
    const [method = "", target = "", version = ""] = requestLine.split(" ");
    if (!/^HTTP\/1\.[01]$/.test(version.trim())) {
      expected = { kind: "nothing" };
      receiver.malformed(whole);
      return false;
    }
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    });
    head = { method, target, text: whole, headers };
    body = "";
    const coding = headers.find(([name]) => name === "transfer-encoding")?.[1];
    const length = Number.parseInt(headers.find(([name]) => name === "content-length")?.[1] ?? "0", 10);
    expected = coding !== undefined ? { kind: "size" } : { kind: "length", left: length };
    receiver.head(head);
    return true;
  }

  function run(): void {
    while (step());
  }

  return {
    read(bytes) {
      text += bytes;
      run();
    },
    next() {
      head = undefined;
      expected = { kind: "head" };
      run();
    },
  };
}

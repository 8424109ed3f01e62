import type { ResponseSpec } from "../case/fuzz-case.ts";
import { contentMark, type Marker, markLength, tailMark } from "../case/marker.ts";

/** A response in bytes, a character each. */
export interface RenderedResponse {
  /** Interim responses, the head and the body. */
  readonly bytes: string;
  /** What is sent after it, and is no part of it. */
  readonly tail: string;
  /** What of it is content. */
  readonly body: string;
}

/** The request that it is for. */
export interface ResponseTo {
  readonly method: string;
  /** Without one it is about nobody's content. */
  readonly marker: Marker | undefined;
  /** Whose the repository is. */
  readonly owner: string;
}

/** Marks in a chunk. */
const chunkMarks = 700;

export function renderResponse(spec: ResponseSpec, { method, marker, owner }: ResponseTo): RenderedResponse {
  const mark = marker === undefined ? "-".repeat(markLength) : contentMark(owner, marker);
  const { coding, marks, last } = spec.body;
  const body = method === "HEAD" || coding === "none" ? "" : mark.repeat(marks);
  const fill = (text: string): string =>
    text.replaceAll("{length}", `${marks * markLength}`).replaceAll("{m}", marker ?? "");
  const head = spec.head.map((line) => `${fill(line)}${spec.lineEnd}`).join("");
  const hasBody = method !== "HEAD" && coding !== "none";
  const coded = coding === "chunked" && hasBody ? `${chunksOf(mark, marks)}${fill(last)}` : body;
  return {
    bytes: `${spec.interim.join("")}${head}${spec.lineEnd}${coded}`,
    tail: tailOf(spec, tailMark(owner, marker ?? "m000000-00")),
    body,
  };
}

function chunksOf(mark: string, marks: number): string {
  let text = "";
  for (let left = marks; left > 0; left -= chunkMarks) {
    const chunk = mark.repeat(Math.min(left, chunkMarks));
    text += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  }
  return text;
}

function tailOf({ tail }: ResponseSpec, mark: string): string {
  if (tail === null) return "";
  if (tail.kind === "body") return mark.repeat(2);
  const body = mark.repeat(3);
  return `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: ${mark}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

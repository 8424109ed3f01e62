import type { BodySpec, FramingSpec, RequestSpec } from "../case/fuzz-case.ts";
import { type Marker, markerOf } from "../case/marker.ts";
import { authorizationOf } from "./credentials.ts";

/** Chunks of one body. */
const mostChunks = 2000;

/** The bytes of a request, a character each. */
export function renderRequest(spec: RequestSpec, caseNumber: number, request: number): string {
  const markers = { real: markerOf("m", caseNumber, request), smuggled: markerOf("s", caseNumber, request) };
  const fill = (text: string): string => text.replaceAll("{m}", markers.real).replaceAll("{s}", markers.smuggled);
  const body = bodyOf(spec.body, markers.smuggled);
  const lines = [
    `${spec.method} ${fill(spec.target)} ${spec.version}`,
    ...(spec.host === null ? [] : [`Host: ${spec.host}`]),
    ...spec.logins.map((login) => `Authorization: ${authorizationOf(login)}`),
    ...spec.headers.map(([name, value]) => `${name}: ${fill(value)}`),
    ...spec.framing.lines.map((line) => line.replaceAll("{length}", `${body.length}`)),
  ];
  return `${lines.join(spec.lineEnd)}${spec.lineEnd}${spec.lineEnd}${encode(body, spec.framing)}`;
}

function encode(body: string, { coding, chunk, fault, last }: FramingSpec): string {
  if (coding === "plain") return body;
  const size = Math.max(chunk, Math.ceil(body.length / mostChunks));
  let text = "";
  let index = 0;
  for (let at = 0; at < body.length; at += size) {
    const data = body.slice(at, at + size);
    const faulty = fault?.at === index++ ? fault : null;
    text += `${faulty?.sizeLine ?? `${data.length.toString(16)}\r\n`}${data}${faulty?.dataEnd ?? "\r\n"}`;
  }
  return `${text}${last}`;
}

/** Each asks for something of alice's, should anybody look into it. */
function bodyOf({ kind, size }: BodySpec, smuggled: Marker): string {
  const filler = "x".repeat(size);
  const mount = `sha256:${"ab".repeat(32)}`;
  switch (kind) {
    case "filler":
      return filler;
    case "form":
      return `a=${filler}&mount=${mount}&from=alice/img`;
    case "multipart":
      return ["mount", "from"]
        .map(
          (name) =>
            `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${name === "from" ? "alice/img" : mount}\r\n`,
        )
        .join("")
        .concat(`--x--\r\n${filler}`);
    case "request":
      return `${filler}0\r\n\r\nGET /v2/alice/${smuggled}/manifests/latest HTTP/1.1\r\nHost: a\r\nX: ${filler}\r\n\r\n`;
  }
}

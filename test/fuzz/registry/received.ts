import type { Marker } from "../case/marker.ts";
import type { RegistryOperation } from "./operation.ts";
import type { ReceivedHead } from "./request-stream.ts";

/** What the registry can say about what it was sent. */
export interface RegistryObserver {
  /** A head has come. */
  received(request: ReceivedRequest): void;
  /** A request has come whole, and the registry does what it asks for. */
  acted(request: ReceivedRequest, operation: RegistryOperation | undefined): void;
  /** What came is no request, or one that could be read in two ways. */
  suspicious(reason: string, ...markers: readonly (Marker | undefined)[]): void;
  /**
   * A request crossed with bytes that the registry sent unasked: nobody could have told them from the response.
   *
   * @param after The request behind whose response they were sent.
   */
  crossed(request: ReceivedRequest, after: Marker | undefined): void;
}

export interface ReceivedRequest {
  readonly marker: Marker | undefined;
  readonly head: ReceivedHead;
}

/** Headers that a registry must never see. */
const forbidden: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "expect",
  "forwarded",
  "proxy-authorization",
  "remote-user",
  "te",
  "trailer",
  "upgrade",
  "x-forwarded-user",
  "x-http-method-override",
  "x-original-url",
]);

/** What is wrong with a head that the gate wrote, by the strictest reading. */
export function headFaults({ text, headers }: ReceivedHead): string[] {
  const faults: string[] = [];
  if (/[^\t\r\n -~]/.test(text)) faults.push("a byte beyond printable ASCII in the head");
  if (/[^\r]\n|\r[^\n]/.test(text)) faults.push("a line that does not end in CR LF");
  if (/\n[ \t]/.test(text)) faults.push("a folded line");
  const [, ...lines] = text.split("\r\n");
  if (lines.some((line) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/.test(line))) faults.push("a line that is no header");
  const names = headers.map(([name]) => name);
  for (const name of new Set(names)) {
    if (names.indexOf(name) !== names.lastIndexOf(name)) faults.push(`${name} twice`);
    if (forbidden.has(name)) faults.push(`the header ${name}`);
  }
  if (!names.includes("host")) faults.push("no host");
  if (names.includes("content-length") && names.includes("transfer-encoding")) faults.push("a length beside chunks");
  return faults;
}

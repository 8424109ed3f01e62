import { marksIn } from "../case/marker.ts";
import type { Outcome } from "../client/ordinary-client.ts";
import type { Violation } from "./violation.ts";

/** Judges what an ordinary client was sent, who asked for nothing but what is his. */
export function judgeOrdinary({ fault, received, marker: own, method }: Outcome): Violation[] {
  if (fault === undefined) return [];
  const foreign = marksIn(received).filter(({ kind, marker }) => kind === "end" || marker !== own);
  if (foreign.length > 0) {
    const text = `an ordinary client got something else than his own\n${JSON.stringify(received.slice(0, 200))}`;
    const markers = foreign.map(({ marker }) => marker);
    return [{ kind: "leak", text, markers, unlessCrossed: [own, ...markers] }];
  }
  // A write is not sent twice where the registry closed the connection just then.
  if (method === "PUT" && fault === "status 502") return [];
  return [{ kind: "not-served", text: `an ordinary ${method}: ${fault}`, markers: [], unlessCrossed: [own] }];
}

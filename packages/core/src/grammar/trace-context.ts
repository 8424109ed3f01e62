import type { Grammar } from "./grammar.ts";
import { listElements } from "./list-elements.ts";

const parent = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const member =
  /^([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[!-+\--<>-~ ]{0,255}[!-+\--<>-~]$/;
/** The minimum length that everybody must forward (W3C Trace Context, section 3.3.1.5). */
const longestState = 512;
const mostMembers = 32;

/** `traceparent` of version 00 (W3C Trace Context, section 3.2). */
export const traceparent: Grammar = (value) => (parent.test(value) ? value : undefined);

/** `tracestate` (W3C Trace Context, section 3.3). */
export const tracestate: Grammar = (value) => {
  if (value.length > longestState) return undefined;
  const members = listElements(value);
  const keys = new Set(members.map((text) => member.exec(text)?.[1]));
  if (keys.has(undefined) || keys.size !== members.length || keys.size === 0 || keys.size > mostMembers)
    return undefined;
  return members.join(",");
};

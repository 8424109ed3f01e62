import { isIP } from "node:net";
import type { Examination } from "./examination.ts";
import type { FindingId } from "./finding.ts";

/** Where to ask for a token. */
export interface Realms {
  /** As the challenge says; `undefined` where no password may be sent there. */
  readonly given: URL | undefined;
  /** The same path at the gate's own address. */
  readonly own: URL;
  /** What it is if `given` cannot be reached. */
  readonly onFailure: FindingId;
}

/** Judges the realm of a Bearer challenge, and reports what keeps clients from it. */
export function realmsOf(realm: string, base: URL, report: Examination["report"]): Realms {
  if (!URL.canParse(realm) || !/^https?:\/\//i.test(realm)) {
    report("realm-invalid", `the realm is ${realm === "" ? "empty" : realm.slice(0, 200)}`);
    const own = realm !== "" && URL.canParse(realm, base) ? new URL(realm, base) : new URL("/v2/auth", base);
    return { given: undefined, own: atBase(own, base), onFailure: "realm-unreachable" };
  }
  const url = new URL(realm);
  const own = atBase(url, base);
  const shown = `the realm is ${url.origin}${url.pathname}`;
  if (base.protocol === "https:" && url.protocol === "http:") {
    report("realm-http", shown);
    if (url.hostname !== base.hostname) report("realm-host", `${shown}, and clients come to ${base.host}`);
    return { given: undefined, own, onFailure: "realm-http" };
  }
  const lost = isLoopbackHost(url.hostname) && !isLoopbackHost(base.hostname);
  if (lost || (isPrivate(url.hostname) && !isInner(base.hostname))) {
    report("realm-host", `${shown}, and clients come to ${base.host}`);
    return { given: undefined, own, onFailure: "realm-host" };
  }
  const likelyInner = url.hostname === base.hostname || (isInner(url.hostname) && !isAddress(url.hostname));
  return { given: url, own, onFailure: likelyInner ? "realm-host" : "realm-unreachable" };
}

/** A path such as `//host/` would be read as another host's if it were resolved. */
function atBase({ pathname, search }: URL, base: URL): URL {
  const own = new URL("/", base);
  own.pathname = pathname;
  own.search = search;
  return own;
}

/** Whether a host is the machine itself. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/i.test(hostname);
}

/** An address of RFC 1918, RFC 4193 or RFC 3927. */
function isPrivate(hostname: string): boolean {
  return /^(?:10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|\[f[cd])/i.test(hostname) && isAddress(hostname);
}

/** Whether a name is one of a private network, as far as that shows. */
function isInner(hostname: string): boolean {
  if (isLoopbackHost(hostname) || isPrivate(hostname)) return true;
  if (isAddress(hostname)) return false;
  return !hostname.includes(".") || /\.(?:local|internal|lan|svc|test|invalid|localdomain)$/i.test(hostname);
}

function isAddress(hostname: string): boolean {
  return isIP(hostname.replace(/^\[(.*)\]$/, "$1")) !== 0;
}

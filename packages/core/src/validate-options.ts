import type { Fault } from "@registry-gate/auth";
import { validateAccess, warnOfAccess } from "./authorize/validate-access.ts";
import { isLoginThrottle } from "./identify/throttle/login-throttle.ts";
import { validateThrottle } from "./identify/throttle/throttle-options.ts";
import type { RegistryProxyOptions } from "./options.ts";
import { addressFault } from "./peer.ts";

/** What is wrong with options, and what is allowed but risky or useless. Paths start at the options. */
export interface Findings {
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** Finds all that `registryProxy` would refuse, without building anything. */
export function validateOptions(options: Omit<RegistryProxyOptions, "backends">): Findings {
  const { upstream, realm = "", access = [], trustedProxies = [], cache = {}, throttle = {} } = options;
  const faults: Fault[] = [...validateUpstream(upstream.url)];
  const number = (path: string[], value: number | undefined): void => {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      faults.push({ path, message: "must be a positive whole number" });
    }
  };
  number(["upstream", "readTimeout"], upstream.readTimeout);
  number(["upstream", "connectTimeout"], upstream.connectTimeout);
  if (cache !== false) {
    number(["cache", "ttl"], cache.ttl);
    number(["cache", "maxEntries"], cache.maxEntries);
  }
  if (throttle !== false && !isLoginThrottle(throttle)) {
    faults.push(...validateThrottle(throttle).map((fault) => ({ ...fault, path: ["throttle", ...fault.path] })));
  }
  if (/[\u0000-\u001f\u007f-\uffff]/.test(realm)) {
    faults.push({ path: ["realm"], message: "must hold nothing but printable ASCII" });
  }
  for (const [index, entry] of trustedProxies.entries()) {
    const fault = addressFault(entry);
    if (fault !== undefined) faults.push({ path: ["trustedProxies", index], message: fault });
  }
  const accessFaults = validateAccess(access);
  faults.push(...accessFaults.map((fault) => ({ ...fault, path: ["access", ...fault.path] })));
  const warnings = accessFaults.length > 0 ? [] : warnOfAccess(access);
  return { faults, warnings: warnings.map((warning) => ({ ...warning, path: ["access", ...warning.path] })) };
}

function validateUpstream(text: string): Fault[] {
  const path = ["upstream", "url"];
  if (!URL.canParse(text)) return [{ path, message: "must be a URL such as http://registry:5000" }];
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return [{ path, message: "must begin with http:// or https://" }];
  }
  const faults: Fault[] = [];
  if (url.username !== "" || url.password !== "") faults.push({ path, message: "must not hold credentials" });
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    faults.push({ path, message: "must end after the host and port: a registry is always at /v2/" });
  }
  return faults;
}

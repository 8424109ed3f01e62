import type { Fault } from "@registry-gate/auth";
import { isLoopback } from "../config/address.ts";
import type { Configuration } from "../config/configuration.ts";
import { challengeOf } from "../config/sections/auth.ts";
import { isPlainToOthers } from "../config/sections/events.ts";
import type { TlsIdentity } from "../tls/tls-identity.ts";

/** Longer lifetimes in the cache of content are warned of, in milliseconds. */
const longestTagAge = 300_000;
const longestContentAge = 7 * 86_400_000;

/** Finds settings that endanger passwords or images. */
export function riskWarnings(configuration: Configuration, tls: TlsIdentity | undefined): Fault[] {
  const { listen, upstream, auth, access = [] } = configuration;
  const warnings: Fault[] = [];
  if (tls === undefined && !isLoopback(listen.address)) {
    const message = "is missing: passwords are sent in clear text, unless a proxy in front terminates TLS";
    warnings.push({ path: ["listen", "tls"], message });
  }
  warnings.push(...(tls?.warnings ?? []));
  const { protocol, hostname } = new URL(upstream.url);
  const plainToOthers = protocol === "http:" && !isLoopback({ host: hostname.replace(/^\[|\]$/g, ""), port: 0 });
  if (plainToOthers) {
    warnings.push({
      path: ["upstream", "url"],
      message: "is plain HTTP: anyone on the network path can read and change images",
    });
  }
  if (plainToOthers && upstream.credentials !== undefined) {
    const message = "are sent in clear text: anyone on the network path can sign in as the gate";
    warnings.push({ path: ["upstream", "credentials"], message });
  }
  const { ttl = 0, maxAge = 0 } = upstream.cache ?? {};
  if (ttl > longestTagAge) {
    const message =
      "is long: clients get a tag's former content for so long where it is pushed in another way than here";
    warnings.push({ path: ["upstream", "cache", "ttl"], message });
  }
  if (maxAge > longestContentAge) {
    const message = "is long: content stays visible for so long that was deleted in another way than here";
    warnings.push({ path: ["upstream", "cache", "maxAge"], message });
  }
  for (const entry of listen.trustedProxies ?? []) {
    if (/\/0$/.test(entry)) {
      warnings.push({ path: ["listen", "trustedProxies"], message: `${entry} lets every client choose its address` });
    }
  }
  for (const [index, origin] of (listen.cors?.origins ?? []).entries()) {
    const { protocol: scheme, hostname: host } = new URL(origin);
    if (scheme === "http:" && !isLoopback({ host: host.replace(/^\[|\]$/g, ""), port: 0 })) {
      const message = "is plain HTTP: anyone on the network path to its pages can act as their users";
      warnings.push({ path: ["listen", "cors", "origins", index], message });
    }
  }
  if (auth.throttle === false) {
    warnings.push({ path: ["auth", "throttle"], message: "is off: passwords can be guessed without limit" });
  } else if ("socket" in listen.address && listen.trustedProxies?.includes("unix:") !== true) {
    const message = "lacks unix:, so auth.throttle counts all clients as one";
    warnings.push({ path: ["listen", "trustedProxies"], message });
  }
  for (const [index, endpoint] of (configuration.events ?? []).entries()) {
    if (!isPlainToOthers(endpoint)) continue;
    const message = "is plain HTTP: anyone on the network path can read who pushes what";
    warnings.push({ path: ["events", index, "url"], message });
  }
  warnings.push(...cookieWarnings(configuration, tls));
  const challenge = challengeOf(auth, access);
  if (challenge === "basic" && auth.token !== undefined) {
    const message = "has no effect: clients are asked for Basic; set auth.challenge to bearer";
    warnings.push({ path: ["auth", "token"], message });
  }
  for (const [index, rule] of access.entries()) {
    if (challenge === "basic" && rule.effect !== "deny" && rule.subjects.includes("anonymous")) {
      const message =
        "names anonymous, but docker pulls nothing without a login where it is asked for Basic: set auth.challenge to auto";
      warnings.push({ path: ["access", index, "subjects"], message });
    }
    const changing = rule.actions.find((action) => action !== "pull");
    if (changing !== undefined && rule.effect !== "deny" && rule.subjects.includes("anonymous")) {
      const message = `allows ${changing} to anonymous: anyone who reaches the gate can change images`;
      warnings.push({ path: ["access", index, "actions"], message });
    }
  }
  return warnings;
}

/** Browsers keep a secure cookie from TLS alone, and send another one in clear text. */
function cookieWarnings({ portal, listen }: Configuration, tls: TlsIdentity | undefined): Fault[] {
  if (portal === undefined || tls !== undefined) return [];
  const path = ["portal", "cookie", "secure"];
  if (portal.cookie?.secure === false) {
    if (isLoopback(listen.address)) return [];
    return [{ path, message: "is false: anyone on the network path can take over sessions" }];
  }
  if ((listen.trustedProxies ?? []).length > 0) return [];
  const message =
    "is true, and browsers come over plain HTTP: nobody can sign in at the pages; " +
    "set listen.tls, name the proxy that ends TLS in listen.trustedProxies, or, on your own machine, set it to false";
  return [{ path, message }];
}

import { resolve } from "node:path";
import { type Chain, inherited, parameterOf } from "./directives.ts";
import type { Directive } from "./parse.ts";

type Noting = (directive: Directive, reason: string) => void;

/** The section `listen` for a server. @param directory What relative paths are relative to. */
export function listenOf(chain: Chain, directory: string, note: Noting): Readonly<Record<string, unknown>> {
  const listens = chain.at(-1)?.filter(({ name }) => name === "listen") ?? [];
  const ofAll = parameterOf(chain, "ssl") === "on";
  const isSecure = ({ parameters }: Directive): boolean => ofAll || parameters.includes("ssl");
  const chosen = listens.find(isSecure) ?? listens[0];
  const address = addressOf(chosen?.parameters[0] ?? "80");
  // The same port at every address of both kinds.
  const both = listens.filter(({ parameters }) => portOf(parameters[0] ?? "") === portOf(chosen?.parameters[0] ?? ""));
  const dual = both.length === 2 && both.some(({ parameters }) => parameters[0]?.startsWith("[::]") === true);
  for (const directive of listens) {
    if (directive !== chosen && !(dual && both.includes(directive))) note(directive, "the gate listens at one address");
    if (directive.parameters.includes("proxy_protocol")) note(directive, "the PROXY protocol is not understood");
    if (directive.parameters.includes("http2")) note(directive, "the gate speaks HTTP/1.1 to clients");
  }
  const proxies = trustedProxies(chain, note);
  const tls = chosen !== undefined && isSecure(chosen) ? tlsOf(chain, directory, note) : undefined;
  return {
    address: dual ? portOf(chosen?.parameters[0] ?? "") : address,
    ...(tls && { tls }),
    ...(proxies.length > 0 && { trustedProxies: proxies }),
  };
}

function addressOf(text: string): string | number {
  if (text.startsWith("unix:")) return text;
  if (/^\d+$/.test(text)) return `0.0.0.0:${text}`;
  const starred = text.replace(/^\*:/, "0.0.0.0:");
  return /:\d+$/.test(starred) ? starred : `${starred}:80`;
}

function portOf(text: string): number {
  return Number(/(?:^|:)(\d+)$/.exec(text)?.[1] ?? 80);
}

/** Proxies whose addresses of clients are believed. */
function trustedProxies(chain: Chain, note: Noting): readonly string[] {
  const from = inherited(chain, "set_real_ip_from");
  const header = inherited(chain, "real_ip_header").at(-1);
  if (header?.parameters[0]?.toLowerCase() !== "x-forwarded-for") {
    for (const directive of from)
      note(directive, "the gate takes the client's address from X-Forwarded-For or Forwarded");
    return [];
  }
  return from.flatMap((directive) => {
    const [address = ""] = directive.parameters;
    if (/^(?:[\da-f.:]+(?:\/\d+)?|unix:)$/i.test(address)) return [address];
    note(directive, "listen.trustedProxies takes addresses, CIDR blocks and unix:");
    return [];
  });
}

function tlsOf(chain: Chain, directory: string, note: Noting): Readonly<Record<string, unknown>> | undefined {
  const file = (name: string): string | undefined => {
    const directives = inherited(chain, name);
    const [first, ...more] = directives;
    for (const directive of more) note(directive, "the gate has one certificate");
    const [path] = first?.parameters ?? [];
    if (first === undefined || path === undefined) return undefined;
    if (!path.includes("$") && !/^(?:data|engine|store):/.test(path)) return resolve(directory, path);
    note(first, "the gate takes the path of a PEM file");
    return undefined;
  };
  const certificate = file("ssl_certificate");
  const key = file("ssl_certificate_key");
  const protocols = inherited(chain, "ssl_protocols").at(-1);
  const old = protocols?.parameters.filter((name) => /^(?:SSLv|TLSv1(?:\.1)?$)/.test(name)) ?? [];
  if (protocols !== undefined && old.length > 0) note(protocols, `the gate does not speak ${old.join(" and ")}`);
  const onlyNewest = protocols?.parameters.every((name) => name === "TLSv1.3" || old.includes(name)) ?? false;
  const ciphers = parameterOf(chain, "ssl_ciphers");
  return {
    certificate: certificate ?? "server.crt",
    key: key ?? "server.key",
    ...(protocols !== undefined && { minVersion: onlyNewest && old.length === 0 ? "TLSv1.3" : "TLSv1.2" }),
    ...(ciphers !== undefined && { ciphers }),
    ...clientCertificates(chain, file, note),
  };
}

function clientCertificates(
  chain: Chain,
  file: (name: string) => string | undefined,
  note: Noting,
): Readonly<Record<string, string>> {
  const verify = inherited(chain, "ssl_verify_client").at(-1);
  const mode = verify?.parameters[0] ?? "off";
  if (verify === undefined || mode === "off") return {};
  if (mode !== "on" && mode !== "optional") {
    note(verify, "listen.tls.clientAuth is required or optional");
    return {};
  }
  const clientCa = file("ssl_client_certificate");
  // A missing file is a fault of the configuration; without the key, clients without a certificate would be served.
  return { clientCa: clientCa ?? "client-ca.crt", clientAuth: mode === "on" ? "required" : "optional" };
}

import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, type DetailedPeerCertificate } from "node:tls";
import type { Connection } from "./exchange.ts";

/** What a server shows in a handshake, whether or not it can be trusted. */
export interface TlsProbe {
  /** What the server sent, its own first; empty where there was no handshake. */
  readonly certificates: readonly ProbedCertificate[];
  /** Why it is not trusted, or why there was no handshake: a code of Node or OpenSSL. */
  readonly fault: string | undefined;
  /** What was agreed by ALPN. */
  readonly protocol: string | undefined;
}

/** A certificate that a server sent. */
export interface ProbedCertificate {
  readonly subject: string;
  readonly issuer: string;
  readonly names: string;
  readonly validFrom: string;
  readonly validTo: string;
  /** Whether it says where its issuer's certificate is to be had (RFC 5280, section 4.2.2.1). */
  readonly namesIssuerFile: boolean;
  readonly selfIssued: boolean;
}

/** Begins TLS and ends the connection; sends nothing. */
export async function probeTls(
  { hostname, port }: URL,
  { ca, checkServerIdentity, allowPartialTrustChain, socketPath }: Connection,
  timeLimit: number,
  protocols: readonly string[] = [],
): Promise<TlsProbe> {
  const { promise, resolve } = Promise.withResolvers<TlsProbe>();
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect({
    ...(socketPath === undefined ? { host, port: port === "" ? 443 : Number(port) } : { path: socketPath }),
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca: [...ca] }),
    ...(checkServerIdentity !== undefined && { checkServerIdentity }),
    ...(allowPartialTrustChain !== undefined && { allowPartialTrustChain }),
    ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
    rejectUnauthorized: false,
  });
  const failed = (fault: string): void => resolve({ certificates: [], fault, protocol: undefined });
  socket.setTimeout(timeLimit, () => failed("TIMEOUT"));
  socket.once("error", (error: NodeJS.ErrnoException) => failed(`${error.code ?? error.message}`));
  socket.once("close", () => failed("ECONNRESET"));
  socket.once("secureConnect", () => {
    const { alpnProtocol } = socket;
    const fault: unknown = socket.authorizationError;
    resolve({
      certificates: chainOf(socket.getPeerCertificate(true), socket.getPeerX509Certificate()),
      fault: fault === null || fault === undefined ? undefined : codeOf(fault),
      protocol: typeof alpnProtocol === "string" ? alpnProtocol : undefined,
    });
  });
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

/** Node has a code here, or an error with one. */
function codeOf(fault: unknown): string {
  if (fault instanceof Error) return "code" in fault && typeof fault.code === "string" ? fault.code : fault.message;
  return String(fault);
}

function chainOf(first: DetailedPeerCertificate, leaf: X509Certificate | undefined): readonly ProbedCertificate[] {
  const chain: ProbedCertificate[] = [];
  const seen = new Set<string>();
  for (
    let certificate: DetailedPeerCertificate | undefined = first;
    certificate?.fingerprint256 !== undefined && !seen.has(certificate.fingerprint256);
    certificate = certificate.issuerCertificate
  ) {
    seen.add(certificate.fingerprint256);
    const subject = nameOf(certificate.subject);
    const issuer = nameOf(certificate.issuer);
    chain.push({
      ...{ subject, issuer, validFrom: certificate.valid_from, validTo: certificate.valid_to },
      names: certificate.subjectaltname ?? "",
      namesIssuerFile: chain.length === 0 && /CA Issuers/.test(leaf?.infoAccess ?? ""),
      selfIssued: subject === issuer,
    });
  }
  return chain;
}

function nameOf(name: object): string {
  return Object.entries(name)
    .flatMap(([key, value]: [string, unknown]) => [value].flat().map((one) => `${key}=${String(one)}`))
    .join(", ");
}

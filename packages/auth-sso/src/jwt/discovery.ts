import { type Document, FetchError } from "./fetch-document.ts";
import { keyUrlFault } from "./key-url.ts";

/** Why the keys of an issuer cannot be discovered. */
export function discoveryFault(issuer: string): string | undefined {
  if (!URL.canParse(issuer)) return "is not a URL";
  const { search, hash } = new URL(issuer);
  return search === "" && hash === "" ? keyUrlFault(issuer) : "has a query or a fragment";
}

/**
 * Asks an issuer where its keys are (OpenID Connect Discovery 1.0, section 4).
 *
 * @param issuer For which {@link discoveryFault} finds nothing.
 * @throws {FetchError} as well where the issuer names another one as itself, or keys that could be changed on their way.
 */
export async function discoverKeys(issuer: string, fetch: (url: URL) => Promise<Document>): Promise<URL> {
  const url = new URL(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const { status, body } = await fetch(url);
  if (status !== 200) throw new FetchError(`${url.href} answered ${status}`);
  const unusable = (reason: string): FetchError => new FetchError(`invalid response from ${url.href}: ${reason}`);
  const configuration = parse(body);
  if (configuration === undefined) throw unusable("it is not a JSON object");
  if (configuration.issuer !== issuer) throw unusable("it names another issuer");
  const { jwks_uri: keys } = configuration;
  if (typeof keys !== "string") throw unusable("it has no jwks_uri");
  const fault = keyUrlFault(keys);
  if (fault !== undefined) throw unusable(`its jwks_uri ${fault}`);
  const location = new URL(keys);
  // An issuer elsewhere cannot send the gate to whatever listens on this machine.
  if (location.protocol !== "https:" && url.protocol === "https:")
    throw unusable("its jwks_uri must begin with https://");
  return location;
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import type { Principal, RegistryProxy } from "@registry-gate/core";

/** Reads from the registry for one person, what they may read. */
export interface Reader {
  readonly principal: Principal;
  /**
   * @param target Path and query below `/v2/`, such as `team/app/tags/list`.
   * @returns `undefined` where there is no such content.
   * @throws {NotAllowedError} @throws {RegistryFaultError}
   */
  get(target: string, accept?: string): Promise<Found | undefined>;
  /** The same without a body. */
  head(target: string, accept?: string): Promise<Found | undefined>;
}

export interface Found {
  /** By names in lower case. */
  readonly headers: Readonly<NodeJS.Dict<string>>;
  readonly body: string;
}

/** The person may not read this, whether or not it exists. */
export class NotAllowedError extends Error {
  override readonly name = "NotAllowedError";
}

/** The registry does not respond, or not as the specification says. */
export class RegistryFaultError extends Error {
  override readonly name = "RegistryFaultError";
}

/** @param signal Ends what is read for somebody who has left. */
export function readerFor(registry: Pick<RegistryProxy, "read">, principal: Principal, signal: AbortSignal): Reader {
  async function read(method: "GET" | "HEAD", target: string, accept = "*/*"): Promise<Found | undefined> {
    const result = await registry
      .read(principal, { method, target: `/v2/${target}`, accept }, signal)
      .catch((error: unknown) => {
        signal.throwIfAborted();
        throw new RegistryFaultError(error instanceof Error ? error.message : "no response", { cause: error });
      });
    if (result.outcome === "denied") throw new NotAllowedError(result.reason);
    if (result.outcome === "refused" || result.status === 404) return undefined;
    if (result.status !== 200) throw new RegistryFaultError(`the registry responded with ${result.status}`);
    return result;
  }
  return {
    principal,
    get: (target, accept) => read("GET", target, accept),
    head: (target, accept) => read("HEAD", target, accept),
  };
}

/** The target of the next page below `/v2/`, as `Link` names it (RFC 8288). */
export function nextTarget({ headers }: Found): string | undefined {
  return /^<\/v2\/([^>]+)>; rel="next"$/.exec(headers.link ?? "")?.[1];
}

import { isRepository } from "@registry-gate/core";

/** What a client asks for, or is granted, on one resource: the form of the claim `access`. */
export interface ResourceAccess {
  readonly type: "repository" | "registry";
  /** The resource class in parentheses, such as `plugin`. */
  readonly class?: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Scopes that can be used, or why none of them is looked at. */
export type ScopeReading =
  | { readonly access: readonly ResourceAccess[]; readonly fault?: never }
  | { readonly fault: string; readonly access?: never };

/** Of all scope parameters of a request together. */
const maxScopeBytes = 8192;
/** In one request. */
const maxScopes = 100;

/** The last colon ends the name, which may hold a port. */
const resourceScope = /^([a-z0-9]+)(?:\(([a-z0-9]{1,64})\))?:([^\s]+):([a-z,*]+)$/;
const hostWithPort = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}\//;
const longestHost = 262;

/**
 * Reads the `scope` parameters of a token request, by the grammar of the Docker token specification, "Token Scope". Each may
 * hold several scopes between spaces. Those of one resource become one, with the actions of all.
 *
 * A scope of an unknown type, or one that is malformed, is left out: it grants nothing.
 *
 * @returns a fault for more than 100 scopes, or more than 8 KiB in all.
 */
export function readScopes(parameters: readonly string[]): ScopeReading {
  const length = parameters.reduce((sum, parameter) => sum + Buffer.byteLength(parameter), 0);
  if (length > maxScopeBytes) return { fault: `the scopes are longer than ${maxScopeBytes} bytes` };
  const texts = parameters.flatMap((parameter) => parameter.split(" ")).filter((text) => text !== "");
  if (texts.length > maxScopes) return { fault: `there are more than ${maxScopes} scopes` };
  const merged = new Map<string, ResourceAccess>();
  for (const text of texts) {
    const read = readScope(text);
    if (read === undefined) continue;
    const key = JSON.stringify([read.type, read.class, read.name]);
    const actions = [...new Set([...(merged.get(key)?.actions ?? []), ...read.actions])];
    merged.set(key, { ...read, actions });
  }
  return { access: [...merged.values()] };
}

function readScope(text: string): ResourceAccess | undefined {
  const [, type, resourceClass, name = "", list = ""] = resourceScope.exec(text) ?? [];
  const actions = list.split(",").filter((action) => action !== "");
  const more = resourceClass === undefined ? {} : { class: resourceClass };
  if (type === "registry") return { type, ...more, name, actions };
  return type === "repository" && isRepositoryName(name) ? { type, ...more, name, actions } : undefined;
}

/** Some clients write the registry before the name of the repository. */
function isRepositoryName(name: string): boolean {
  if (isRepository(name)) return true;
  const host = hostWithPort.exec(name.slice(0, longestHost))?.[0];
  return host !== undefined && isRepository(name.slice(host.length));
}

/** Writes scopes as a challenge has them. */
export function formatScopes(access: readonly ResourceAccess[]): string {
  return access
    .map(({ type, class: resourceClass, name, actions }) => {
      const resource = resourceClass === undefined ? type : `${type}(${resourceClass})`;
      return `${resource}:${name}:${actions.join(",")}`;
    })
    .join(" ");
}

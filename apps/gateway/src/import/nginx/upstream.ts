import { resolve } from "node:path";
import { ImportError } from "../imported.ts";
import { type Chain, inBlocks, inherited, parameterOf } from "./directives.ts";
import type { Directive } from "./parse.ts";

type Noting = (directive: Directive, reason: string) => void;

/**
 * The section `upstream` for a location.
 *
 * @throws {ImportError} where the registry is not named, or is on a Unix socket.
 */
export function upstreamOf(
  root: readonly Directive[],
  chain: Chain,
  directory: string,
  note: Noting,
): Readonly<Record<string, unknown>> {
  const pass = inherited(chain, "proxy_pass").at(-1);
  const target = pass?.parameters[0] ?? "";
  const parts = /^(https?):\/\/([^/$]+)(\/[^$]*)?$/.exec(target);
  if (pass === undefined || parts === null) {
    throw new ImportError(
      `${pass?.file}:${pass?.line}: the registry's address cannot be told from proxy_pass ${target}`,
    );
  }
  const [, scheme = "", name = "", path = ""] = parts;
  if (path !== "" && path !== "/" && path !== "/v2/" && path !== "/v2") {
    note(pass, "the registry's API has to be at /v2/: the path was left out");
  }
  const host = serverOf(root, name, note);
  if (host.startsWith("unix:"))
    throw new ImportError(`${pass.file}:${pass.line}: a registry on a Unix socket cannot be reached`);
  const ca = scheme === "https" ? parameterOf(chain, "proxy_ssl_trusted_certificate") : undefined;
  const readTimeout = duration(chain, "proxy_read_timeout", note);
  const connectTimeout = duration(chain, "proxy_connect_timeout", note);
  return {
    url: `${scheme}://${host}`,
    ...(readTimeout !== undefined && { readTimeout }),
    ...(connectTimeout !== undefined && { connectTimeout }),
    ...(ca !== undefined && { ca: resolve(directory, ca) }),
  };
}

function serverOf(root: readonly Directive[], name: string, note: Noting): string {
  const blocks = [
    ...inBlocks(root, "upstream"),
    ...inBlocks(root, "http").flatMap(({ block = [] }) => inBlocks(block, "upstream")),
  ];
  const group = blocks.find(({ parameters }) => parameters[0] === name);
  if (group === undefined) return name;
  const [first, ...more] = group.block?.filter((directive) => directive.name === "server") ?? [];
  for (const directive of more) note(directive, "the gate has one registry: put a balancer between them");
  return first?.parameters[0] ?? name;
}

/** nginx takes a bare number for seconds, and several units in a row. */
function duration(chain: Chain, name: string, note: Noting): string | undefined {
  const directive = inherited(chain, name).at(-1);
  const [text] = directive?.parameters ?? [];
  if (directive === undefined || text === undefined) return undefined;
  if (/^\d+$/.test(text)) return `${text}s`;
  if (/^\d+(?:ms|s|m|h|d)$/.test(text)) return text;
  note(directive, "write a duration such as 900s");
  return undefined;
}

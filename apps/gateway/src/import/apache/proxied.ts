import type { Directive } from "./parse.ts";

/** A path below that of the registry whose requests go elsewhere, or nowhere. */
interface NotProxied {
  readonly directive: Directive;
  /** What follows the registry's path. */
  readonly prefix: string;
}

/**
 * Finds what Apache does not pass on to the registry, by `ProxyPass PATH !` or another address. The order of the lines, by
 * which one may have no effect, is not looked at.
 *
 * @param pass The line by which the registry is proxied.
 * @param root The path of the registry's API.
 */
export function notProxied(directives: readonly Directive[], pass: Directive, root: string): readonly NotProxied[] {
  const own = passOf(pass, root);
  return directives.flatMap((directive) => {
    if (directive.name === "location" && directive.section !== undefined) {
      const [path = ""] = directive.parameters;
      return directive.section.filter(({ name }) => name === "proxypass").flatMap((inner) => below(inner, path));
    }
    return directive.name === "proxypass" ? below(directive, "") : [];
  });

  function below(directive: Directive, around: string): readonly NotProxied[] {
    const { path, target } = passOf(directive, around);
    if (directive === pass || !path.startsWith(`${root}/`)) return [];
    if (target === `${own.target}${path.slice(own.path.length)}`) return [];
    return [{ directive, prefix: path.slice(root.length + 1) }];
  }
}

/** Within a section, the path is that of the section. */
function passOf({ parameters }: Directive, around: string): { path: string; target: string } {
  const [first = "", second = ""] = parameters;
  const [path, target] = first.startsWith("/") ? [first, second] : [around, first];
  return { path: path.replace(/\/$/, ""), target: target.replace(/\/$/, "") };
}

import { type Method, type MethodAccess, methods } from "../path-rules.ts";
import { mayRestrict } from "./directives.ts";
import type { Directive } from "./parse.ts";

/** Who may use each method by the `Require` lines of a section. */
export interface SectionAccess {
  readonly access: MethodAccess;
  /** What was not understood, so that rights were left out. */
  readonly doubts: readonly Directive[];
  /** The DNs that `Require ldap-group` names. */
  readonly groupDNs: readonly string[];
  /** Methods that no `Require` is for. */
  readonly unnamed: readonly Method[];
}

interface Limited {
  readonly directive: Directive;
  /** The methods that it is for. */
  readonly holdsFor: (method: Method) => boolean;
}

const nobody: readonly string[] = [];

/**
 * Reads the lines of one section, in which those of `<Limit>` and `<LimitExcept>` count for some methods alone.
 *
 * @param groupFile Whether the names of groups are those of a group file.
 */
export function accessOf(directives: readonly Directive[], groupFile: boolean): SectionAccess {
  const limited = flatten(directives, () => true);
  const doubts = new Set<Directive>();
  const groupDNs = new Set<string>();
  const unnamed: Method[] = [];

  function subjectsFor(method: Method): readonly string[] {
    const held = limited.filter(({ holdsFor }) => holdsFor(method)).map(({ directive }) => directive);
    const blocking = held.filter(isBlocking);
    for (const directive of blocking) doubts.add(directive);
    if (blocking.length > 0) return nobody;
    const required = held.filter(({ name }) => name === "require");
    // Each is one way in. Without any, what Apache does depends on the other methods.
    if (required.length === 0) unnamed.push(method);
    return [...new Set(required.flatMap(subjectsOf))];
  }

  function subjectsOf(directive: Directive): readonly string[] {
    const [kind = "", ...values] = directive.parameters.map((value, index) =>
      index === 0 ? value.toLowerCase() : value,
    );
    switch (kind) {
      case "valid-user":
        return ["authenticated"];
      case "all":
        return values[0]?.toLowerCase() === "granted" ? ["anonymous"] : nobody;
      case "user":
      case "ldap-user":
        return values.map((name) => `user:${name}`);
      case "group":
        if (groupFile) return values.map((name) => `group:${name}`);
        doubts.add(directive);
        return nobody;
      case "ldap-group": {
        const dn = values.join(" ");
        groupDNs.add(dn);
        return [`group:${dn}`];
      }
      default:
        // One way in that is not carried over opens nothing.
        doubts.add(directive);
        return nobody;
    }
  }

  const of = Object.fromEntries(methods.map((method) => [method, subjectsFor(method)]));
  const { GET = nobody, HEAD = nobody, POST = nobody, PUT = nobody, PATCH = nobody, DELETE = nobody } = of;
  return { access: { GET, HEAD, POST, PUT, PATCH, DELETE }, doubts: [...doubts], groupDNs: [...groupDNs], unnamed };
}

function flatten(directives: readonly Directive[], holdsFor: (method: Method) => boolean): readonly Limited[] {
  return directives.flatMap((directive) => {
    const { name, parameters, section } = directive;
    if (section === undefined) return [{ directive, holdsFor }];
    const named = parameters.map((method) => method.toUpperCase());
    // Apache takes GET for HEAD too.
    const names = (method: Method): boolean => named.includes(method) || (method === "HEAD" && named.includes("GET"));
    if (name === "limit") return flatten(section, (method) => holdsFor(method) && names(method));
    if (name === "limitexcept") return flatten(section, (method) => holdsFor(method) && !names(method));
    // One of several ways in, as without it.
    if (name === "requireany") return flatten(section, holdsFor);
    return [{ directive, holdsFor }];
  });
}

/** Whether a line may refuse requests in a way that is not understood. */
function isBlocking(directive: Directive): boolean {
  const { name, parameters, section } = directive;
  if (name === "require" && parameters[0]?.toLowerCase() === "not") return true;
  if (name === "deny") return true;
  if (name === "allow") return parameters.join(" ").toLowerCase() !== "from all";
  if (name === "order") return !/^deny,\s*allow$/i.test(parameters.join(""));
  if (name === "include-missing") return true;
  return section !== undefined || mayRestrict(directive);
}

import { type Method, type MethodAccess, methods } from "../path-rules.ts";
import { type Chain, inBlocks, inherited, mayRestrict, parameterOf } from "./directives.ts";
import type { Directive } from "./parse.ts";

/** Who may use each method at a location. */
export interface LocationAccess {
  readonly access: MethodAccess;
  /** Where the users of those who sign in are. */
  readonly passwordFiles: readonly Directive[];
  /** What was not understood, so that rights were left out. */
  readonly doubts: readonly Directive[];
  /** Who else would get in by nginx, and does not by the rules. */
  readonly narrowed: readonly Directive[];
}

interface Verdict {
  readonly subjects: readonly string[];
  readonly passwordFile?: Directive | undefined;
  readonly doubts: readonly Directive[];
  readonly narrowed: readonly Directive[];
}

const nobody: readonly string[] = [];

/** @param maps The blocks `map` of the configuration, for realms that depend on the method. */
export function accessAt(chain: Chain, maps: readonly Directive[]): LocationAccess {
  const verdicts = methods.map((method) => [method, verdictOf(chain, method, maps)] as const);
  const all = verdicts.map(([, verdict]) => verdict);
  const of = (method: Method): readonly string[] =>
    verdicts.find(([other]) => other === method)?.[1].subjects ?? nobody;
  return {
    access: {
      GET: of("GET"),
      HEAD: of("HEAD"),
      POST: of("POST"),
      PUT: of("PUT"),
      PATCH: of("PATCH"),
      DELETE: of("DELETE"),
    },
    passwordFiles: all.flatMap(({ passwordFile }) => passwordFile ?? []),
    doubts: [...new Set(all.flatMap(({ doubts }) => doubts))],
    narrowed: [...new Set(all.flatMap(({ narrowed }) => narrowed))],
  };
}

function verdictOf(around: Chain, method: Method, maps: readonly Directive[]): Verdict {
  const chain = withLimits(around, method);
  const login = byLogin(chain, method, maps);
  // Where its users are is of use even where they may do nothing.
  return { ...decide(chain, method, login), passwordFile: login.passwordFile };
}

function decide(chain: Chain, method: Method, login: Login): Omit<Verdict, "passwordFile"> {
  const doubts = chain.flatMap((block) => block.filter(mayRestrict));
  let refused = false;
  for (const directive of chain.flat()) {
    const effect = directive.name === "if" ? effectOfIf(directive, method) : effectOfReturn(directive);
    if (effect === "doubt") doubts.push(directive);
    if (effect === "refuse") refused = true;
  }
  const address = byAddress(inherited(chain, "allow"), inherited(chain, "deny"), chain);
  const external = inherited(chain, "auth_request").filter(({ parameters }) => parameters[0] !== "off");
  if (login.doubt !== undefined) doubts.push(login.doubt);
  if (refused || doubts.length > 0) return { subjects: nobody, doubts, narrowed: [] };
  const signedIn = { subjects: ["authenticated"], doubts: [], narrowed: [] };
  const anybody = { subjects: ["anonymous"], doubts: [], narrowed: [] };
  const addresses = [...inherited(chain, "allow"), ...inherited(chain, "deny")];
  if (parameterOf(chain, "satisfy") === "any") {
    if (address === "open" || (address === "none" && !login.needed && external.length === 0)) return anybody;
    const narrowed = [...external, ...addresses.filter(({ name }) => name === "allow")];
    // Who comes from the right address needs no login there; here everybody does.
    if (login.needed) return { ...signedIn, narrowed };
    return { subjects: nobody, doubts: [...external, ...addresses], narrowed: [] };
  }
  if (address === "closed") return { subjects: nobody, doubts: [], narrowed: [] };
  if (address === "some" || external.length > 0) {
    return { subjects: nobody, doubts: [...external, ...(address === "some" ? addresses : [])], narrowed: [] };
  }
  return login.needed ? signedIn : anybody;
}

/** A `limit_except` holds for the methods that it does not name; naming GET names HEAD too. */
function withLimits(chain: Chain, method: Method): Chain {
  const limits = inBlocks(chain.at(-1) ?? [], "limit_except").filter(({ parameters }) => {
    const named = parameters.map((name) => name.toUpperCase());
    return !named.includes(method) && !(method === "HEAD" && named.includes("GET"));
  });
  return [...chain, ...limits.map(({ block }) => block ?? [])];
}

/** `open`: from everywhere; `closed`: from nowhere; `some`: from some addresses; `none`: not a condition. */
function byAddress(
  allow: readonly Directive[],
  deny: readonly Directive[],
  chain: Chain,
): "open" | "closed" | "some" | "none" {
  if (allow.length + deny.length === 0) return "none";
  // Both are inherited together, from the innermost block that has either.
  const block = chain.findLast((inner) => inner.some(({ name }) => name === "allow" || name === "deny")) ?? [];
  const first = block.find(({ name }) => name === "allow" || name === "deny");
  if (first?.parameters[0] === "all") return first.name === "allow" ? "open" : "closed";
  return block.some(({ name }) => name === "deny") ? "some" : "open";
}

/** What a login has to do with it. */
interface Login {
  readonly needed: boolean;
  readonly passwordFile?: Directive | undefined;
  readonly doubt?: Directive | undefined;
}

function byLogin(chain: Chain, method: Method, maps: readonly Directive[]): Login {
  const realm = inherited(chain, "auth_basic").at(-1);
  if (realm === undefined) return { needed: false };
  let [value = ""] = realm.parameters;
  if (value.startsWith("$")) {
    const mapped = mappedByMethod(value, method, maps);
    if (mapped === undefined) return { needed: true, doubt: realm };
    value = mapped;
  } else if (value.includes("$")) return { needed: true, doubt: realm };
  if (value === "off") return { needed: false };
  const passwordFile = inherited(chain, "auth_basic_user_file").at(-1);
  const named = passwordFile?.parameters[0];
  if (named === undefined || named.includes("$")) return { needed: true, doubt: passwordFile ?? realm };
  return { needed: true, passwordFile };
}

function mappedByMethod(variable: string, method: Method, maps: readonly Directive[]): string | undefined {
  const map = maps.find(({ parameters }) => parameters[1] === variable);
  if (map?.parameters[0] !== "$request_method") return undefined;
  const entries = map.block ?? [];
  if (entries.some(({ name }) => /^[~*]/.test(name))) return undefined;
  const entry =
    entries.find(({ name }) => name.toUpperCase() === method) ?? entries.find(({ name }) => name === "default");
  const value = entry?.parameters[0];
  return value === undefined || value.includes("$") ? undefined : value;
}

type Effect = "none" | "refuse" | "doubt";

function effectOfReturn({ name, parameters }: Directive): Effect {
  return name === "return" && /^[1-5]\d\d$/.test(parameters[0] ?? "") ? "refuse" : name === "return" ? "doubt" : "none";
}

/** What an `if` does to a request with a method. */
function effectOfIf({ parameters, block = [] }: Directive, method: Method): Effect {
  const condition = parameters.join(" ").replace(/^\(\s*|\s*\)$/g, "");
  const acts = block.filter(({ name }) => name !== "set" && name !== "add_header" && name !== "access_log");
  if (acts.length === 0) return "none";
  // Old versions of docker, which the gate refuses by itself, and other programs by the name that they give themselves.
  if (condition.startsWith("$http_user_agent")) return "none";
  // An address of plain HTTP that leads to HTTPS.
  if (/^\$(?:scheme|https|http_x_forwarded_proto)\b/.test(condition)) return "none";
  const refuses = acts.every((act) => effectOfReturn(act) === "refuse");
  const matches = refuses ? matchesMethod(condition, method) : undefined;
  if (matches === undefined) return "doubt";
  return matches ? "refuse" : "none";
}

/** @returns `undefined` for a condition on something else. */
function matchesMethod(condition: string, method: Method): boolean | undefined {
  const parts = /^\$request_method\s*(!?=|!?~\*?)\s*(.+)$/.exec(condition);
  if (parts === null) return undefined;
  const [, operator = "", operand = ""] = parts;
  const negative = operator.startsWith("!");
  if (operator.endsWith("=")) return (operand === method) !== negative;
  // Only names of methods: every other expression could be read otherwise by another library.
  if (!/^\^?\(?(?:\?:)?[A-Za-z]+(?:\|[A-Za-z]+)*\)?\$?$/.test(operand)) return undefined;
  return new RegExp(operand, operator.endsWith("*") ? "i" : "").test(method) !== negative;
}

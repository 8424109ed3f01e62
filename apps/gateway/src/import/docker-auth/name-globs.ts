/**
 * The globs for the pattern of a repository's name: of Go's `path.Match`, in which a star matches no slash, or a regular
 * expression between slashes, which is not anchored by itself.
 *
 * @returns `undefined` where globs cannot say the same.
 */
export function globsOfName(pattern: string | undefined): readonly string[] | undefined {
  if (pattern === undefined) return ["**"];
  // Only here it is a variable.
  if (pattern.includes("${username}")) return undefined;
  const named = pattern.replaceAll("${account}", "${username}");
  const expression = /^\/(.+)\/$/.exec(named)?.[1];
  if (expression !== undefined) return globsOfExpression(expression);
  if (/[?[\]\\]/.test(named) || named === "") return undefined;
  if (named.replaceAll("${username}", "").includes("$")) return undefined;
  // Two stars are no more than one there.
  return isGlob(named) ? [named.replace(/\*+/g, "*")] : undefined;
}

function globsOfExpression(expression: string): readonly string[] | undefined {
  if (/^\^?\.[*+]\$?$/.test(expression)) return ["**"];
  // Without an anchor it matches anywhere within a name.
  if (!expression.startsWith("^")) return undefined;
  const open = !expression.endsWith("$");
  const body = expression.slice(1, open ? undefined : -1);
  const alternatives = /^\(([^()]+)\)(.*)$/.exec(body);
  const bodies =
    alternatives === null ? [body] : (alternatives[1] ?? "").split("|").map((head) => `${head}${alternatives[2]}`);
  const globs: string[] = [];
  for (const each of bodies) {
    const glob = globOf(open && each.endsWith("/") ? `${each}.*` : each);
    // Open at its end, it would match the beginning of longer names too.
    if (glob === undefined || (open && !glob.endsWith("/**"))) return undefined;
    globs.push(glob);
  }
  return globs;
}

/** Of an expression that is anchored at both ends. */
function globOf(expression: string): string | undefined {
  const plain = expression
    .replace(/\$\{username\}/g, "\u0000")
    .replace(/\\([./_-])/g, (_, sign: string) => (sign === "." ? "\u0001" : sign))
    .replace(/\/\.[*+]$/, "/\u0002\u0002")
    .replace(/\[\^\/\][*+]/g, "\u0002");
  if (!/^[\u0000-\u0002a-z0-9_/-]+$/.test(plain)) return undefined;
  const glob = plain.replaceAll("\u0000", "${username}").replaceAll("\u0001", ".").replaceAll("\u0002", "*");
  return isGlob(glob) ? glob : undefined;
}

function isGlob(text: string): boolean {
  return text.split("/").every((segment) => segment !== "" && /^[a-z0-9._*${}-]+$/.test(segment));
}

/** Whether every name of the second is one of the first for certain. */
export function includesNames(outer: readonly string[], inner: readonly string[]): boolean {
  return inner.every((glob) => outer.some((other) => includesGlob(other, glob)));
}

function includesGlob(outer: string, inner: string): boolean {
  if (outer === "**" || outer === inner) return true;
  if (outer.endsWith("/**") && !outer.slice(0, -3).includes("*")) {
    const prefix = outer.slice(0, -2);
    return inner.startsWith(prefix) && inner.length > prefix.length;
  }
  // `team/*` has `team/app`.
  if (inner.includes("*") || inner.includes("$") || outer.includes("$") || outer.includes("**")) return false;
  const pattern = outer
    .split("*")
    .map((part) => part.replace(/[.\\]/g, "\\$&"))
    .join("[^/]*");
  return new RegExp(`^${pattern}$`).test(inner);
}

/** Whether a name may be one of both. */
export function sharesNames(one: readonly string[], other: readonly string[]): boolean {
  return one.some((first) => other.some((second) => mayMeet(first.split("/"), second.split("/"))));
}

function mayMeet(one: readonly string[], other: readonly string[]): boolean {
  const [first, ...rest] = one;
  const [second, ...further] = other;
  if (first === "**" || second === "**") return true;
  if (first === undefined || second === undefined) return first === second;
  if (first !== second && !/[*$]/.test(first) && !/[*$]/.test(second)) return false;
  return mayMeet(rest, further);
}

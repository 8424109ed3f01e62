/** What docker-registry says that a request is about, when it dispatches it. */
export interface Acted {
  readonly method: string;
  /** As the registry received it. */
  readonly uri: string;
  readonly name: string | undefined;
  readonly reference: string | undefined;
  readonly digest: string | undefined;
  readonly upload: string | undefined;
}

/** Reads the line that docker-registry logs when it has found a route, before it acts. */
export function actedIn(line: Readonly<Record<string, unknown>>): Acted {
  return {
    method: String(line["http.request.method"]),
    uri: String(line["http.request.uri"]),
    name: textOf(line["vars.name"]),
    reference: textOf(line["vars.reference"]),
    digest: textOf(line["vars.digest"]),
    upload: textOf(line["vars.uuid"]),
  };
}

/** What the registry does, in the gate's words; where it would respond with 405, its method and route. */
export function operationOf({ method, uri, name, reference, digest, upload }: Acted): string {
  if (reference !== undefined) return named(method, "manifest", { PUT: "put-manifest" });
  if (digest !== undefined) return named(method, "blob", {});
  if (upload !== undefined) {
    const writes = { PATCH: "continue-upload", PUT: "finish-upload", DELETE: "cancel-upload" };
    return named(method, "upload", writes);
  }
  const [path = ""] = uri.split("?");
  if (name !== undefined && path.endsWith("/tags/list")) return reads(method) ? "list-tags" : `${method} tags`;
  if (name !== undefined) return method === "POST" ? "start-upload" : `${method} uploads`;
  if (path.endsWith("/_catalog")) return method === "GET" ? "list-repositories" : `${method} catalog`;
  return reads(method) ? "ping" : `${method} ping`;
}

function named(method: string, thing: string, writes: Readonly<Record<string, string>>): string {
  if (reads(method)) return `get-${thing}`;
  return writes[method] ?? (method === "DELETE" ? `delete-${thing}` : `${method} ${thing}`);
}

function reads(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/** The parameters that docker-registry or the OCI specification read for an operation, beside those of a mount. */
const parametersOf: Readonly<Record<string, readonly string[]>> = {
  "list-tags": ["n", "last"],
  "list-referrers": ["artifactType", "n", "last"],
  "put-manifest": ["tag"],
  "start-upload": ["digest"],
  "get-upload": ["_state"],
  "continue-upload": ["_state"],
  "cancel-upload": ["_state"],
  "finish-upload": ["_state", "digest"],
};

/**
 * Why a target that the gate wrote says something else by its parameters than the one that it was sent; `undefined`
 * where it says the same, or less in that there is no mount.
 */
export function parameterDifference(operation: string, sent: string, written: string): string | undefined {
  const before = readQuery(sent);
  const after = readQuery(written);
  const read = parametersOf[operation] ?? [];
  const mounts = operation === "start-upload" ? ["mount", "from"] : [];
  const strange = [...after.keys()].find((name) => !read.includes(name) && !mounts.includes(name));
  if (strange !== undefined) return `the parameter ${strange} is none of ${operation}`;
  for (const name of read) {
    // The gate writes a number as a number, so 007 comes as 7.
    const [asked, passed] = [before, after].map((query) =>
      (query.get(name) ?? []).map(name === "n" ? plainNumber : String),
    );
    if (JSON.stringify(asked) !== JSON.stringify(passed)) return `${name} was ${asked}, and is ${passed}`;
  }
  const [mount, from] = mounts.map((name) => after.get(name));
  if ((mount === undefined) !== (from === undefined)) return "half a mount was passed on";
  for (const name of after.keys()) {
    if (mounts.includes(name) && String(after.get(name)) !== String(before.get(name))) return `${name} was changed`;
  }
  return undefined;
}

function plainNumber(text: string): string {
  return text.replace(/^0+(?=\d)/, "");
}

/** A query as Go's `net/url` reads it, from which docker-registry is built: what it cannot read it leaves out. */
function readQuery(target: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  const mark = target.indexOf("?");
  if (mark === -1) return values;
  for (const pair of target.slice(mark + 1).split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const [name, value] = [pair.replace(/=.*$/s, ""), pair.includes("=") ? pair.replace(/^[^=]*=/, "") : ""].map(
      decodeBytes,
    );
    if (name === undefined || value === undefined) continue;
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return values;
}

/** A character is a byte, before and after. */
function decodeBytes(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  return text.replaceAll("+", " ").replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** What all objects of Kubernetes have, and the rest to look things up in. */
export interface Manifest {
  readonly kind: string;
  readonly name: string;
  /** The value at a path: `undefined` where nothing is there. */
  at(...path: readonly (string | number)[]): unknown;
  /** The list at a path: empty where nothing is there. */
  list(...path: readonly (string | number)[]): readonly unknown[];
  /** The texts of a map at a path, such as labels. */
  texts(...path: readonly (string | number)[]): Readonly<Record<string, string>>;
}

/** @throws {TypeError} for what is no object of Kubernetes. */
export function manifest(value: unknown): Manifest {
  const name = valueAt(value, ["metadata", "name"]);
  const kind = valueAt(value, ["kind"]);
  if (typeof kind !== "string" || typeof name !== "string") throw new TypeError("not an object of Kubernetes");
  return {
    kind,
    name,
    at: (...path) => valueAt(value, path),
    list: (...path) => listAt(value, ...path),
    texts: (...path) => textsOf(valueAt(value, path)),
  };
}

/** The texts of a map, which may be absent. @throws {TypeError} where a value is no text. */
export function textsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(Object(value)).map(([key, text]) => {
      if (typeof text !== "string") throw new TypeError(`${key} is not a text`);
      return [key, text];
    }),
  );
}

/** The value at a path within any value; `undefined` where nothing is there. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((part, key) => {
    if (typeof part !== "object" || part === null) return undefined;
    return Object.getOwnPropertyDescriptor(part, key)?.value;
  }, value);
}

/** The list at a path within any value: empty where nothing is there. @throws {TypeError} where it is something else. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = valueAt(value, path) ?? [];
  if (!Array.isArray(found)) throw new TypeError(`no list at ${path.join(".")}`);
  return found;
}

/** The objects of a kind. */
export function ofKind(manifests: readonly Manifest[], kind: string): readonly Manifest[] {
  return manifests.filter((each) => each.kind === kind);
}

/** The one object of a kind and name. @throws {Error} where there is none. */
export function named(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((each) => each.kind === kind && each.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}

/** Whether labels have all that a selector's `matchLabels` asks for. */
export function matches(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(textsOf(selector)).every(([key, value]) => labels[key] === value);
}

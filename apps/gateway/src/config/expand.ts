import type { Fault } from "@registry-gate/auth";

type Environment = Readonly<Record<string, string | undefined>>;

/** `$${` stands for a literal `${`. */
const placeholder = /\$\$\{|\$\{([^}]*)\}?/g;
const variable = "[A-Za-z_][A-Za-z0-9_]*";
const isVariable = new RegExp(`^${variable}$`);
const isPlaceholder = new RegExp(`^\\$\\{${variable}\\}$`);

/** A value in which the environment has been expanded. */
export interface ExpandedValue {
  readonly value: unknown;
  readonly faults: Fault[];
  /** Where a text consisted of one placeholder, so that a number or a boolean may be meant. */
  readonly placeholders: readonly (readonly (string | number)[])[];
}

/**
 * Expands `${NAME}` from the environment in every string value, however deep. Nothing is expanded below the top-level
 * key `access`, where `${username}` means the caller.
 *
 * @param isLeftOut Whether a key of the map at a path is left out, unexpanded.
 * @returns a copy, and a fault for each variable that is not set, and for each part that holds itself.
 */
export function expandEnvironment(
  value: unknown,
  environment: Environment,
  isLeftOut: (path: readonly (string | number)[], key: string) => boolean = () => false,
): ExpandedValue {
  const faults: Fault[] = [];
  const placeholders: (readonly (string | number)[])[] = [];
  const around = new Set<object>();
  const walk = (node: unknown, path: readonly (string | number)[]): unknown => {
    if (typeof node === "string") {
      if (path[0] === "access") return node;
      if (isPlaceholder.test(node)) placeholders.push(path);
      return expandText(node, environment, (message) => faults.push({ path, message }));
    }
    if (typeof node !== "object" || node === null) return node;
    if (around.has(node)) {
      faults.push({ path, message: "is an alias of a value that contains it" });
      return undefined;
    }
    around.add(node);
    const copy = Array.isArray(node)
      ? node.map((item: unknown, index) => walk(item, [...path, index]))
      : Object.fromEntries(
          Object.entries(node)
            .filter(([key]) => !isLeftOut(path, key))
            .map(([key, item]: [string, unknown]) => [key, walk(item, [...path, key])]),
        );
    around.delete(node);
    return copy;
  };
  return { value: walk(value, []), faults, placeholders };
}

function expandText(text: string, environment: Environment, fault: (message: string) => void): string {
  return text.replace(placeholder, (whole, name: string | undefined) => {
    if (name === undefined) return "${";
    if (!whole.endsWith("}") || !isVariable.test(name)) {
      fault("contains ${ without the name of an environment variable; write $${ for a literal ${");
      return whole;
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value === undefined) fault(`the environment variable ${name} is not set`);
    return value ?? "";
  });
}

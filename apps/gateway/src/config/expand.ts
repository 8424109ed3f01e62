import type { Fault } from "@registry-gate/auth";

type Environment = Readonly<Record<string, string | undefined>>;

/** `$${` stands for a literal `${`. */
const placeholder = /\$\$\{|\$\{([^}]*)\}?/g;

/**
 * Expands `${NAME}` from the environment in every string value, however deep. Nothing is expanded below the top-level
 * key `access`, where `${username}` means the caller.
 *
 * @returns a copy, and a fault for each variable that is not set, and for each part that holds itself.
 */
export function expandEnvironment(value: unknown, environment: Environment): { value: unknown; faults: Fault[] } {
  const faults: Fault[] = [];
  const around = new Set<object>();
  const walk = (node: unknown, path: readonly (string | number)[]): unknown => {
    if (typeof node === "string") {
      return path[0] === "access" ? node : expandText(node, environment, (message) => faults.push({ path, message }));
    }
    if (typeof node !== "object" || node === null) return node;
    if (around.has(node)) {
      faults.push({ path, message: "is an alias of what it stands in" });
      return undefined;
    }
    around.add(node);
    const copy = Array.isArray(node)
      ? node.map((item: unknown, index) => walk(item, [...path, index]))
      : Object.fromEntries(
          Object.entries(node).map(([key, item]: [string, unknown]) => [key, walk(item, [...path, key])]),
        );
    around.delete(node);
    return copy;
  };
  return { value: walk(value, []), faults };
}

function expandText(text: string, environment: Environment, fault: (message: string) => void): string {
  return text.replace(placeholder, (whole, name: string | undefined) => {
    if (name === undefined) return "${";
    if (!whole.endsWith("}") || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      fault("holds ${ that does not begin the name of an environment variable; write $${ for a literal one");
      return whole;
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value === undefined) fault(`the environment variable ${name} is not set`);
    return value ?? "";
  });
}

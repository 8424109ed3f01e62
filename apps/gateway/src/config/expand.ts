import type { Fault } from "@registry-gate/auth";

type Environment = Readonly<Record<string, string | undefined>>;

/** `$${` stands for a literal `${`. */
const placeholder = /\$\$\{|\$\{([^}]*)\}?/g;

/**
 * Expands `${NAME}` from the environment in every string value, however deep. Nothing is expanded below the top-level
 * key `access`, where `${username}` means the caller.
 *
 * @returns a copy, and a fault for each variable that is not set.
 */
export function expandEnvironment(value: unknown, environment: Environment): { value: unknown; faults: Fault[] } {
  const faults: Fault[] = [];
  const walk = (node: unknown, path: readonly (string | number)[]): unknown => {
    if (typeof node === "string") return expandText(node, environment, (message) => faults.push({ path, message }));
    if (Array.isArray(node)) return node.map((item: unknown, index) => walk(item, [...path, index]));
    if (typeof node !== "object" || node === null) return node;
    return Object.fromEntries(
      Object.entries(node).map(([key, item]: [string, unknown]) => [
        key,
        path.length === 0 && key === "access" ? item : walk(item, [...path, key]),
      ]),
    );
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

import type { Fault } from "@registry-gate/auth";

/**
 * Adds to a fault what helps where YAML took a text for something else: for a number or a boolean, as in
 * `bindPassword: 12345`, or its rest for a key, as in `{ searchBase: dc=example,dc=com }`, where a comma ends a value. Such
 * a key is not named, because it may be the rest of a password.
 */
export function withQuoteHint(fault: Fault, value: unknown): Fault {
  const written = fault.path.reduce<unknown>(
    (node, key) => (typeof node === "object" && node !== null ? Reflect.get(node, key) : undefined),
    value,
  );
  if (written === null && fault.message === "is not a known key") {
    return {
      path: fault.path.slice(0, -1),
      message:
        "has an unknown key without a value; where it is the rest of a value with a comma, put that value in quotes",
    };
  }
  const unquoted = typeof written === "number" || typeof written === "boolean";
  if (!unquoted || !/^must be (?:a )?text$/.test(fault.message)) return fault;
  return { ...fault, message: `${fault.message}: put it in quotes` };
}

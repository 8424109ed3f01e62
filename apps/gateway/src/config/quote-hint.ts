import type { Fault } from "@registry-gate/auth";

/** Adds to a fault what helps where YAML took a text for a number or a boolean, as in `bindPassword: 12345`. */
export function withQuoteHint(fault: Fault, value: unknown): Fault {
  const written = fault.path.reduce<unknown>(
    (node, key) => (typeof node === "object" && node !== null ? Reflect.get(node, key) : undefined),
    value,
  );
  const unquoted = typeof written === "number" || typeof written === "boolean";
  if (!unquoted || !/^must be (?:a )?text$/.test(fault.message)) return fault;
  return { ...fault, message: `${fault.message}: put it in quotes` };
}

import { Document, isMap, isSeq, Scalar, visit } from "yaml";
import { printable } from "../printable.ts";
import type { Imported } from "./imported.ts";

/** Writes a configuration as YAML, with a rule or a backend a line where it is short. */
export function writeYaml({ configuration, comments }: Imported, title: string): string {
  const { access, ...others } = configuration;
  // Only below `access` a `${` is no variable of the environment.
  const document = new Document({ ...escaped(others), access }, { aliasDuplicateObjects: false });
  const rules = document.get("access");
  for (const rule of isSeq(rules) ? rules.items : []) if (isMap(rule)) rule.flow = true;
  if (isSeq(rules) && rules.items.length === 0) rules.flow = true;
  visit(document, {
    Scalar(_, scalar) {
      // The library writes some texts with line ends so that they are read as something else.
      if (typeof scalar.value === "string" && !/^[\x20-\x7e]*$/.test(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  document.commentBefore = [title, ...comments].map((line) => ` ${printable(line)}`).join("\n");
  return document.toString({ lineWidth: 0 });
}

function escaped(value: object): object {
  const copy: unknown = JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
    typeof inner === "string" ? inner.replaceAll("${", "$${") : inner,
  );
  return typeof copy === "object" && copy !== null ? copy : {};
}

import type { Filter } from "./filter.ts";

/** What a template may leave open. */
export type Placeholder = "username" | "dn";

/** A value in a template: bytes that were written there, and placeholders. */
export type TemplateValue = readonly (Buffer | { readonly placeholder: Placeholder })[];

/** A filter whose values may hold placeholders. */
export type FilterTemplate =
  | { readonly kind: "and" | "or"; readonly filters: readonly FilterTemplate[] }
  | { readonly kind: "not"; readonly filter: FilterTemplate }
  | { readonly kind: "present"; readonly attribute: string }
  | {
      readonly kind: "equal" | "atLeast" | "atMost" | "approximately";
      readonly attribute: string;
      readonly value: TemplateValue;
    }
  | {
      readonly kind: "substring";
      readonly attribute: string;
      readonly initial: TemplateValue;
      readonly any: readonly TemplateValue[];
      readonly final: TemplateValue;
    }
  | {
      readonly kind: "extensible";
      readonly attribute: string | undefined;
      readonly rule: string | undefined;
      readonly dnAttributes: boolean;
      readonly value: TemplateValue;
    };

export type Filling = Readonly<Partial<Record<Placeholder, string>>>;

/**
 * Fills the placeholders. What is filled in is a value and stays one, whatever characters it has. A part whose placeholder has nothing
 * to fill it matches no entry, and the filter is simplified accordingly: no such part is left.
 *
 * @returns `true` or `false` where that leaves nothing but a filter that every, or no, entry matches.
 */
export function fillTemplate(template: FilterTemplate, filling: Filling): Filter | boolean {
  switch (template.kind) {
    case "and":
    case "or": {
      const absorbing = template.kind === "or";
      const filters: Filter[] = [];
      for (const part of template.filters) {
        const filled = fillTemplate(part, filling);
        if (filled === absorbing) return absorbing;
        if (typeof filled !== "boolean") filters.push(filled);
      }
      return filters.length === 0 ? !absorbing : { kind: template.kind, filters };
    }
    case "not": {
      const filled = fillTemplate(template.filter, filling);
      return typeof filled === "boolean" ? !filled : { kind: "not", filter: filled };
    }
    case "present":
      return template;
    case "equal": {
      const whole = fillWhole(template.value, filling);
      if (whole !== undefined) return { kind: "equal", attribute: template.attribute, value: whole };
      const bytes = fillValue(template.value, filling);
      if (bytes === undefined) return false;
      const text = bytes.toString("utf8");
      // Bytes that are no UTF-8 stay bytes.
      return { ...template, kind: "equal", value: Buffer.from(text).equals(bytes) ? text : bytes };
    }
    case "atLeast":
    case "atMost":
    case "approximately":
    case "extensible": {
      const bytes = fillValue(template.value, filling);
      return bytes === undefined ? false : { ...template, value: bytes.toString("utf8") };
    }
    case "substring": {
      const initial = fillValue(template.initial, filling);
      const any = template.any.map((value) => fillValue(value, filling));
      const final = fillValue(template.final, filling);
      if (initial === undefined || final === undefined || any.includes(undefined)) return false;
      return {
        ...template,
        initial: initial.toString("utf8"),
        any: any.flatMap((value) => (value === undefined ? [] : [value.toString("utf8")])),
        final: final.toString("utf8"),
      };
    }
  }
}

/** A value that is one placeholder and nothing else, as most are: the text itself, where it survives as UTF-8. */
function fillWhole(value: TemplateValue, filling: Filling): string | undefined {
  const [only, ...others] = value;
  if (only === undefined || Buffer.isBuffer(only) || others.length > 0) return undefined;
  const text = filling[only.placeholder];
  return text?.isWellFormed() === true ? text : undefined;
}

function fillValue(value: TemplateValue, filling: Filling): Buffer | undefined {
  const parts: Buffer[] = [];
  for (const part of value) {
    if (Buffer.isBuffer(part)) parts.push(part);
    else {
      const text = filling[part.placeholder];
      if (text === undefined) return undefined;
      parts.push(Buffer.from(text));
    }
  }
  return Buffer.concat(parts);
}

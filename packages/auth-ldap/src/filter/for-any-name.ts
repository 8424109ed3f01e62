import type { FilterTemplate, TemplateValue } from "./filter-template.ts";

/** Every entry matches it: a conjunction of nothing (RFC 4526). */
const everything: FilterTemplate = { kind: "and", filters: [] };

/**
 * Makes of a template one without placeholders that an entry matches where some name would make it match: of an attribute that is
 * compared with the name, it only asks for any value.
 */
export function forAnyName(template: FilterTemplate): FilterTemplate {
  switch (template.kind) {
    case "and":
    case "or":
      return { kind: template.kind, filters: template.filters.map(forAnyName) };
    case "not":
      // Some name is always another one.
      return hasPlaceholder(template.filter) ? everything : template;
    case "present":
      return template;
    default:
      if (!hasPlaceholder(template)) return template;
      return template.attribute === undefined ? everything : { kind: "present", attribute: template.attribute };
  }
}

function hasPlaceholder(template: FilterTemplate): boolean {
  switch (template.kind) {
    case "and":
    case "or":
      return template.filters.some(hasPlaceholder);
    case "not":
      return hasPlaceholder(template.filter);
    case "present":
      return false;
    case "substring":
      return [template.initial, ...template.any, template.final].some(isOpen);
    default:
      return isOpen(template.value);
  }
}

function isOpen(value: TemplateValue): boolean {
  return value.some((part) => !Buffer.isBuffer(part));
}

/** A search filter (RFC 4511, section 4.5.1.7). Values are never text to be parsed again. */
export type Filter =
  | { readonly kind: "and" | "or"; readonly filters: readonly Filter[] }
  | { readonly kind: "not"; readonly filter: Filter }
  | { readonly kind: "present"; readonly attribute: string }
  | { readonly kind: "equal"; readonly attribute: string; readonly value: string | Buffer }
  | { readonly kind: "atLeast" | "atMost" | "approximately"; readonly attribute: string; readonly value: string }
  | {
      readonly kind: "substring";
      readonly attribute: string;
      /** Empty where the value begins, or ends, with `*`. */
      readonly initial: string;
      readonly any: readonly string[];
      readonly final: string;
    }
  | {
      readonly kind: "extensible";
      readonly attribute: string | undefined;
      readonly rule: string | undefined;
      readonly dnAttributes: boolean;
      readonly value: string;
    };

export const equal = (attribute: string, value: string | Buffer): Filter => ({ kind: "equal", attribute, value });

/** Of no filter, none matches; of one, it alone is the filter. */
export function either(filters: readonly Filter[]): Filter {
  const [first, ...others] = filters;
  return first !== undefined && others.length === 0 ? first : { kind: "or", filters };
}

export const both = (...filters: readonly Filter[]): Filter => ({ kind: "and", filters });

/** Matches every entry. */
export const anything: Filter = { kind: "present", attribute: "objectClass" };

/** About how many bytes a filter takes in a request. */
export function sizeOf(filter: Filter): number {
  const overhead = 16;
  switch (filter.kind) {
    case "and":
    case "or":
      return filter.filters.reduce((sum, part) => sum + sizeOf(part), overhead);
    case "not":
      return overhead + sizeOf(filter.filter);
    case "present":
      return overhead + filter.attribute.length;
    case "substring":
      return [filter.initial, ...filter.any, filter.final].reduce(
        (sum, value) => sum + overhead + Buffer.byteLength(value),
        overhead + filter.attribute.length,
      );
    case "extensible":
      return 2 * overhead + `${filter.attribute}${filter.rule}`.length + Buffer.byteLength(filter.value);
    default:
      return overhead + filter.attribute.length + Buffer.byteLength(filter.value);
  }
}

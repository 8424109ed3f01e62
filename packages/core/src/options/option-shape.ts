import type { z } from "zod";

/**
 * A schema for every option of an interface. An option without a schema would be refused as unknown, so it is a type
 * error.
 */
export type OptionShape<T> = { readonly [Key in keyof Required<T>]: z.ZodType<T[Key]> };

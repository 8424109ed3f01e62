import type { Access } from "./access.ts";

/**
 * What a login is limited to: an access is allowed where the rules allow it and one of the grants includes it. Grants only
 * ever take away.
 *
 * The name of a repository may be a pattern, as in rules: `*` stands for any text within a path segment, `**` for any
 * segments. The action `*` includes every action. The repositories of the catalog are listed by rules alone where the
 * registry-wide access `catalog` is granted, and otherwise as far as the grants include a pull.
 */
export type Grants = readonly Access[];

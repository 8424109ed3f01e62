import type { Access } from "./access.ts";

/**
 * The restriction of a login: an access is allowed where the rules allow it and one of the grants includes it. Grants
 * never add permissions.
 *
 * The name of a repository may be a pattern, as in rules: `*` matches any text within a path segment, `**` any number
 * of segments. The action `*` includes every action. With the registry-wide access `catalog`, the catalog lists
 * repositories by the rules alone; otherwise, only those for which the grants include pull.
 */
export type Grants = readonly Access[];

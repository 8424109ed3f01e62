import { type AccessRule, accessRuleSchema } from "@registry-gate/core";
import type { Section } from "../section.ts";
import { list } from "../value-schemas.ts";

export type AccessConfiguration = readonly AccessRule[];

/** It is an option of the middleware as it stands, and its keys are described there. */
export const accessSection: Section<AccessConfiguration> = {
  schema: list(accessRuleSchema).describe("By default authenticated users can pull and push"),
  substitutes: [
    { path: ["*", "subjects", "*"], value: "authenticated" },
    { path: ["*", "subjects"], value: ["authenticated"] },
    { path: ["*", "repositories", "*"], value: "**" },
    { path: ["*", "repositories"], value: ["**"] },
    { path: ["*", "actions", "*"], value: "pull" },
    { path: ["*", "actions"], value: ["pull"] },
    { path: ["*"], value: { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] } },
  ],
};

import type { Action } from "@registry-gate/auth";
import { z } from "zod";
import type { OptionShape } from "../options/option-shape.ts";
import type { AccessRule } from "../options/options.ts";
import { isTag } from "../route/names.ts";
import { globFault } from "./glob.ts";

const subjectPattern = /^(?:anonymous|authenticated|(?:user|group):[^\u0000-\u001f\u007f]+)$/;

const subject = z
  .string({ error: ({ input }) => subjectFault(input) })
  .regex(subjectPattern, "must be anonymous, authenticated, user:NAME or group:NAME");

/** In YAML, `group: pushers` is a map. */
function subjectFault(input: unknown): string {
  const [key, ...more] = typeof input === "object" && input !== null ? Object.keys(input) : [];
  const meant = (key === "user" || key === "group") && more.length === 0;
  return meant ? `must be text: write ${key}:NAME without a space, in quotes` : "must be text";
}

const repository = z.string("must be text").superRefine((pattern, context) => {
  const message = globFault(pattern);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const action: z.ZodType<Action> = z.enum(["pull", "push", "delete", "*"], "must be pull, push, delete or *");

const tag = z
  .string("must be text")
  // A star may match the first character of a tag, or nothing.
  .refine((pattern) => isTag(pattern.replaceAll("*", "_")), "must be a tag, with * for any text");

const listOf = <T>(item: z.ZodType<T>): z.ZodArray<z.ZodType<T>> => z.array(item, "must be a list");
const someOf = <T>(item: z.ZodType<T>): z.ZodType<T[]> => listOf(item).min(1, "must not be empty");

const shape = {
  effect: z
    .enum(["allow", "deny"], "must be allow or deny")
    .describe("allow by default; deny wins over every rule that allows")
    .exactOptional(),
  subjects: someOf(subject).describe("anonymous (anybody, signed in or not), authenticated, user:NAME or group:NAME"),
  repositories: someOf(repository).describe(
    "Globs: * within a path segment, ** across segments, ! excludes, ${username}",
  ),
  actions: someOf(action),
  immutableTags: listOf(tag)
    .describe("Tags, with *, that may be created by this rule, but neither overwritten nor deleted")
    .exactOptional(),
} satisfies OptionShape<AccessRule>;

/** The schema of one rule of `access`, for options and configuration files. */
export const accessRuleSchema: z.ZodType<AccessRule> = z
  .strictObject(shape, "must be a rule with subjects, repositories and actions")
  .refine(({ effect, immutableTags }) => effect !== "deny" || immutableTags === undefined, {
    path: ["immutableTags"],
    message: "belongs to a rule that allows: a rule that denies a push or a delete denies it for every tag",
    // Reported together with other faults of the rule.
    when: ({ value }) => typeof value === "object" && value !== null,
  });

export const accessSchema: z.ZodType<AccessRule[]> = listOf(accessRuleSchema);

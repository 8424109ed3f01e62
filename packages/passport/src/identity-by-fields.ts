import { parseOptions } from "@registry-gate/auth-kit";
import { z } from "zod";
import { text } from "./option-schemas.ts";
import type { SignedIn } from "./signed-in.ts";

/** Where in a strategy's user the parts of an identity are. */
export interface IdentityFields {
  /** Default `username`. */
  readonly username?: string;
  /** Default: the user name. */
  readonly subject?: string;
  /** Default `groups`. Where it is missing, the user is in no group. */
  readonly groups?: string;
  /** Claims, by their names. What is missing is left out. */
  readonly claims?: Readonly<Record<string, string>>;
}

/**
 * Makes a function that reads identities from users by the names of their fields. A name may be a path, such as
 * `user.login`; a list on its way is gone through, so that `_groups.cn` is the name of each of `_groups`.
 *
 * @throws {InvalidOptionsError} with every fault.
 */
export function identityByFields(fields: IdentityFields): (user: unknown) => SignedIn {
  const { username = "username", subject, groups = "groups", claims = {} } = parseOptions(schema, fields);
  return (user) => {
    const name = onlyText(user, username);
    const known = Object.entries(claims).flatMap(([claim, path]) => {
      // An ornament that is no text is left out.
      const texts = valuesAt(user, path).filter((value) => typeof value === "string");
      return texts.length === 0 ? [] : [[claim, texts.length === 1 ? texts[0] : texts] as const];
    });
    return {
      username: name,
      subject: subject === undefined ? name : onlyText(user, subject),
      groups: valuesAt(user, groups),
      ...(known.length > 0 && { claims: Object.fromEntries(known) }),
    };
  };
}

const schema: z.ZodType<IdentityFields> = z.strictObject(
  {
    username: text("Where the name is").exactOptional(),
    subject: text("Where a stable identifier is").exactOptional(),
    groups: text("Where the groups are").exactOptional(),
    claims: z.record(z.string(), text("Where a claim is"), "must map claims to fields").exactOptional(),
  },
  "must hold username, groups and the like",
);

/** @throws {TypeError} unless there is exactly one text. */
function onlyText(user: unknown, path: string): string {
  const [text, ...more] = valuesAt(user, path);
  if (text === undefined) throw new TypeError(`the user has no text at ${path}`);
  if (typeof text !== "string") throw new TypeError(`the user has a value that is not text at ${path}`);
  if (more.length > 0) throw new TypeError(`the user has several texts at ${path}`);
  return text;
}

function valuesAt(user: unknown, path: string): unknown[] {
  return path.split(".").reduce<unknown[]>(
    (values, key) =>
      values.flatMap((value) => {
        const found: unknown =
          typeof value === "object" && value !== null && Object.hasOwn(value, key)
            ? Reflect.get(value, key)
            : undefined;
        return found === undefined || found === null ? [] : found;
      }),
    [user],
  );
}

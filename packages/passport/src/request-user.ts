import type { IncomingMessage } from "node:http";
import type { Identity } from "@registry-gate/auth";
import { functionOption, parseOptions } from "@registry-gate/auth-kit";
import { z } from "zod";
import { text } from "./option-schemas.ts";
import { identityOf, type SignedIn } from "./signed-in.ts";

/** The options of {@link fromRequestUser}. */
export interface RequestUserOptions {
  /** Maps the session's user to an identity. An error that it throws is a fault: the response is 503. */
  identity(user: unknown): SignedIn | Promise<SignedIn>;
  /** Names the session in logs and identities. Default `session`. */
  readonly id?: string;
  /** Where the app has put its user. Default `user`, as passport does. */
  readonly property?: string;
}

/**
 * Tells whom an app has signed in, for the option `session` of `registryProxy`: the user whom `passport.session()`, or
 * whatever else keeps the app's sessions, has put on the request.
 *
 * @throws {InvalidOptionsError} with every fault.
 */
export function fromRequestUser(
  options: RequestUserOptions,
): (request: IncomingMessage) => Promise<Identity | undefined> {
  const { id = "session", property = "user" } = parseOptions(schema, options);
  return async (request) => {
    const user: unknown = Object.hasOwn(request, property) ? Reflect.get(request, property) : undefined;
    if (user === undefined || user === null || user === false) return undefined;
    const signedIn = await options.identity(user);
    const identity = identityOf(signedIn, id);
    return signedIn.expiresAt === undefined || signedIn.expiresAt > Date.now() ? identity : undefined;
  };
}

const schema: z.ZodType<RequestUserOptions> = z.strictObject(
  {
    identity: functionOption<RequestUserOptions["identity"]>(),
    id: text("Names the session in logs and identities").exactOptional(),
    property: text("Where the app has put its user").exactOptional(),
  },
  "must be an object with identity",
);

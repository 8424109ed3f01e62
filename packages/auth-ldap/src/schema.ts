import { durationOption, flagOption, parseOptions, textOption, wholeNumberOption } from "@registry-gate/auth-kit";
import { z } from "zod";
import type { LdapOptions } from "./options.ts";

const text = (what: string): z.ZodType<string> => textOption().describe(what);
const truth = (what: string): z.ZodType<boolean> => flagOption().describe(what);
const count = (least: number, most: number, what: string): z.ZodType<number> =>
  wholeNumberOption(least, most).describe(what);

const attribute = (what: string): z.ZodType<string> =>
  z
    .string("must be text")
    .regex(/^[A-Za-z][A-Za-z0-9-]*$/, "must be the name of an attribute")
    .describe(what);

const scope = (): z.ZodType<"sub" | "one"> =>
  z.enum(["sub", "one"], "must be sub or one").describe("How deep to search; sub by default");

const group = z.strictObject(
  {
    searchBase: text(
      "Where groups are; without it rules name groups by DN, except in Active Directory",
    ).exactOptional(),
    searchFilter: text("The filter that finds groups, with {{dn}} and {{username}}").exactOptional(),
    searchScope: scope().exactOptional(),
    nameAttribute: attribute(
      "What a group is called by; cn by default, sAMAccountName in Active Directory",
    ).exactOptional(),
    nested: truth("Whether members of a group's groups are members of the group").exactOptional(),
    memberOfAttribute: attribute("The attribute of users with the DNs of their groups").exactOptional(),
  },
  "must hold searchBase, searchFilter and the like",
);

const pool = z.strictObject(
  {
    size: count(1, 1000, "The most connections; 8 by default").exactOptional(),
    idle: durationOption("How long an unused connection is kept; 60s by default").exactOptional(),
    maxWaiting: count(0, 1_000_000, "How many logins may wait for a connection; 500 by default").exactOptional(),
  },
  "must hold size, idle or maxWaiting",
);

const shape = {
  urls: z
    .array(z.string("must be text"), "must be a list of URLs")
    .min(1, "must not be empty")
    .describe("ldaps://host:port or ldap://host:port; the first that works is used"),
  startTLS: truth("Ask for TLS on ldap://, and go no further without it").exactOptional(),
  allowCleartext: truth("Allow passwords in clear text over ldap://").exactOptional(),
  caCert: text("A PEM file of the authorities to trust").exactOptional(),
  serverName: text("The name that the servers' certificates bear").exactOptional(),
  clientCert: text("A PEM file of a certificate to show to the servers").exactOptional(),
  clientKey: text("A PEM file of its key").exactOptional(),
  bindDN: text("The service account").exactOptional(),
  bindPassword: text("The password of the service account").exactOptional(),
  bindPasswordFile: text("A file with the password of the service account").exactOptional(),
  searchBase: text("Where users are").exactOptional(),
  searchFilter: text("The filter that finds a user, with {{username}}").exactOptional(),
  searchScope: scope().exactOptional(),
  usernameAttribute: attribute("Its value is the name that everybody else sees").exactOptional(),
  usernameCase: z
    .enum(["keep", "lower"], "must be keep or lower")
    .describe("How that name is written: as the directory has it, or in lower case; keep by default")
    .exactOptional(),
  userDNTemplate: text("Makes the DN from the name, with {{username}}").exactOptional(),
  groups: group.describe("How groups are found").exactOptional(),
  requiredGroup: text("Only members of this group may sign in: a DN, or a short name").exactOptional(),
  activeDirectory: truth("Defaults for Active Directory").exactOptional(),
  timeout: durationOption("For one operation; 5s by default").exactOptional(),
  connectTimeout: durationOption("For connecting, TLS included; 3s by default").exactOptional(),
  pool: pool.describe("Limits of each of the two pools of connections").exactOptional(),
};

/** The options, as `plugin` and {@link requireOptions} check them. */
export const schema: z.ZodType<LdapOptions> = z.strictObject(shape, "must be an object with urls");

/** @throws {InvalidOptionsError} with every fault in the shape. */
export function requireOptions(options: unknown): LdapOptions {
  return parseOptions(schema, options);
}

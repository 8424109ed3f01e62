import type { AuthBackendPlugin } from "@registry-gate/auth";
import { definePlugin } from "@registry-gate/auth-kit";
import { ldapBackend } from "./backend.ts";
import { schema } from "./schema.ts";

/** Lets a configuration name this backend as `type: ldap`. */
export const plugin: AuthBackendPlugin = definePlugin({ type: "ldap", options: schema, open: ldapBackend });

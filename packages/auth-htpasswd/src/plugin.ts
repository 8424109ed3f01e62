import type { AuthBackendPlugin } from "@registry-gate/auth";
import { definePlugin } from "@registry-gate/auth-kit";
import { htpasswdBackend } from "./backend.ts";
import { schema } from "./options.ts";

/** Lets a configuration name this backend as `type: htpasswd`. */
export const plugin: AuthBackendPlugin = definePlugin({ type: "htpasswd", options: schema, open: htpasswdBackend });

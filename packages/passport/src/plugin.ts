import type { AuthBackend, AuthBackendPlugin, BackendContext } from "@registry-gate/auth";
import { definePlugin } from "@registry-gate/auth-kit";
import { identityByFields } from "./identity-by-fields.ts";
import { loadStrategy } from "./load-strategy.ts";
import { strategyBackend } from "./passport-backend.ts";
import { type PassportPluginOptions, schema } from "./plugin-options.ts";
import type { PassportStrategy } from "./strategy.ts";
import { strategyErrors } from "./strategy-errors.ts";

/** Lets a configuration name a strategy as `type: passport`. */
export const plugin: AuthBackendPlugin = definePlugin({
  type: "passport",
  options: schema,
  open: openStrategy,
});

async function openStrategy(options: PassportPluginOptions, context: BackendContext): Promise<AuthBackend> {
  const { schemes, credentialHeaders, formFields, timeout, maxCredentialBytes } = options;
  const errors = strategyErrors(context.id, context.log);
  const { strategy, made } = await errors.runShared(() => loadStrategy(options, context));
  const settings = {
    strategy,
    identity: identityByFields(fieldsOf(options)),
    ...(schemes !== undefined && { schemes }),
    ...(credentialHeaders !== undefined && {
      credentialHeaders: [...new Set(credentialHeaders.map((name) => name.toLowerCase()))],
    }),
    ...(formFields !== undefined && { formFields }),
    ...(timeout !== undefined && { timeout }),
    ...(maxCredentialBytes !== undefined && { maxCredentialBytes }),
    // The module's own strategy serves the next backend too.
    ...(made && { close: () => closeStrategy(strategy) }),
  };
  return strategyBackend(settings, context, errors);
}

function fieldsOf({ usernameField, subjectField, groupsField, emailField, nameField }: PassportPluginOptions) {
  return {
    ...(usernameField !== undefined && { username: usernameField }),
    ...(subjectField !== undefined && { subject: subjectField }),
    ...(groupsField !== undefined && { groups: groupsField }),
    claims: {
      ...(emailField !== undefined && { email: emailField }),
      ...(nameField !== undefined && { name: nameField }),
    },
  };
}

async function closeStrategy(strategy: PassportStrategy): Promise<void> {
  if ("close" in strategy && typeof strategy.close === "function") {
    await Reflect.apply(strategy.close, strategy, []);
  }
}

import type { Guard } from "../guard.ts";

const signIn = ["apps/portal/test/sign-in.test.ts"];
const forms = ["apps/portal/test/forms.test.ts"];
const oidc = ["apps/portal/test/oidc.test.ts"];

/** A page does what its user wants, and a session is who has signed in. */
export const portal: readonly Guard[] = [
  {
    name: "portal-session-begins-anew",
    file: "apps/portal/src/sessions/sessions.ts",
    find: "await settled((done) => request.session.regenerate(done));",
    replacement: "",
    tests: signIn,
  },
  {
    name: "portal-session-id-is-hashed",
    file: "apps/portal/src/sessions/session-store.ts",
    find: '${createHash("sha256").update(id).digest("base64url")}',
    replacement: "${id}",
    tests: signIn,
  },
  {
    name: "portal-sign-out-ends-all-sessions",
    file: "apps/portal/src/sessions/logins.ts",
    find: "(await state.get(keyOf(user))) === login",
    replacement: "true",
    tests: signIn,
  },
  {
    name: "portal-session-of-another-password",
    file: "apps/portal/src/sessions/sessions.ts",
    find: "&& identity.revision === user.revision",
    replacement: "",
    tests: signIn,
  },
  {
    name: "portal-token-opens-no-session",
    file: "apps/portal/src/sign-in/sign-in-form.ts",
    find: 'credentials.password.startsWith(prefix))) return "token";',
    replacement: "false));",
    tests: signIn,
  },
  {
    name: "portal-sends-nobody-to-another-host",
    file: "apps/portal/src/http/local-path.ts",
    find: 'if (origin !== anywhere || pathname.startsWith("//")) return undefined;',
    replacement: "",
    tests: signIn,
  },
  {
    name: "portal-session-without-the-header",
    file: "apps/portal/src/sessions/sessions.ts",
    find: "(pagesOnly ? undefined : signedIn(request))",
    replacement: "signedIn(request)",
    tests: ["apps/portal/test/header.test.ts"],
  },
  {
    name: "portal-form-of-another-origin",
    file: "apps/portal/src/http/shell.ts",
    find: "if (crossSiteFault(request, clientOf(request)) !== undefined) {",
    replacement: "if (false) {",
    tests: forms,
  },
  {
    name: "portal-form-of-another-session",
    file: "apps/portal/src/http/form-token.ts",
    find: "if (formToken !== undefined) return equal(token, formToken);",
    replacement: "if (formToken !== undefined) return true;",
    tests: forms,
  },
  {
    name: "portal-form-of-another-browser",
    file: "apps/portal/src/http/form-token.ts",
    find: "secrets).some((secret) => equal(token, tokenOf(secret, visitor)))",
    replacement: "secrets).length > 0",
    tests: forms,
  },
  {
    name: "portal-page-of-administrators",
    file: "apps/portal/src/pages/mount-page.ts",
    find: "if (route.adminsOnly === true && !context.isAdmin)",
    replacement: "if (false)",
    tests: ["test/portal/command.test.ts"],
  },
  {
    name: "portal-oidc-signature",
    file: "apps/portal/src/sign-in/oidc/provider.ts",
    find: "execute: [enableNonRepudiationChecks, ",
    replacement: "execute: [",
    tests: oidc,
  },
  {
    name: "portal-oidc-state",
    file: "apps/portal/src/sign-in/oidc/oidc-sign-in.ts",
    find: "expectedState: pending.state,",
    replacement: 'expectedState: new URLSearchParams(query).get("state") ?? "",',
    tests: oidc,
  },
  {
    name: "portal-oidc-code-counts-once",
    file: "apps/portal/src/sign-in/oidc/oidc-sign-in.ts",
    find: "cookie.clear(response);",
    replacement: "",
    tests: oidc,
  },
];

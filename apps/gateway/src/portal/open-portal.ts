import { type AccessTokens, createAccessTokens, type IssuanceOptions } from "@registry-gate/access-tokens";
import {
  openActivity,
  openSessions,
  type PageSources,
  type PortalStatus,
  portal,
  rememberUser,
  type SignInOptions,
} from "@registry-gate/portal";
import type { GatePortalContext, GateStatus, OpenPortalIn } from "../gate/gate-portal.ts";
import { auditedActivity, auditedTokens } from "./audited.ts";
import { authorityIn } from "./authority.ts";
import { findUser } from "./find-user.ts";

/** Opens the portal that a configuration describes. */
export const openPortal: OpenPortalIn = (process) => async (context) => {
  const { configuration, files, state, backends, trustedProxies, log } = context;
  const { title, adminGroups, sessions: times, cookie, signIn } = configuration;
  const { secrets } = files;
  const sessions = openSessions({ ...times, ...cookie, state, secrets, backends, pagesOnly: signIn === "header" });
  const { audit, attemptedNames } = context;
  const activity = auditedActivity(openActivity({ state, log }), audit, attemptedNames);
  const sources: PageSources = {
    ...sourcesOf(context),
    activity,
    status: async () => statusOf(await process.status()),
  };
  return {
    session: sessions.userOf,
    sessions: sessions.handler,
    pages: ({ authenticator, registry }) =>
      portal({
        ...{ sessions, authenticator, registry, secrets, trustedProxies, sources, log },
        signIn: signInOf(context),
        ...(title !== undefined && { title }),
        ...(adminGroups !== undefined && { adminGroups }),
      }),
    finished: activity.finished,
    async close() {
      sessions.close();
      await activity.close();
    },
  };
};

function accessTokensOf(issuance: IssuanceOptions, { state, backends, audit }: GatePortalContext): AccessTokens {
  const tokens = createAccessTokens({ state, backends, ...issuance });
  return audit === undefined ? tokens : auditedTokens(tokens, audit);
}

function sourcesOf(context: GatePortalContext): PageSources {
  const { backends, issuance, devices, access, files, certificate } = context;
  const authority = files.authority() ?? (certificate && authorityIn(certificate));
  return {
    // A token is of somebody whom another backend knows.
    findUser: (username) =>
      findUser(
        backends.filter(({ tokenPrefixes = [] }) => tokenPrefixes.length === 0),
        username,
      ),
    ...(issuance !== undefined && { accessTokens: accessTokensOf(issuance, context) }),
    ...(devices !== undefined && { devices }),
    ...(access !== undefined && { access }),
    ...(authority !== undefined && { authority }),
  };
}

function signInOf({ configuration, files, state, remembering }: GatePortalContext): SignInOptions {
  const { signIn = "form", header, oidc } = configuration;
  if (signIn === "header") return { kind: "header", ...header };
  // That it is there was found when the configuration was checked.
  if (signIn === "form" || oidc === undefined) return { kind: "form" };
  const { clientSecretFile: _, ...provider } = oidc;
  return {
    ...{ kind: "oidc", state, clientSecret: files.clientSecret, ...provider },
    ...(remembering !== undefined && {
      id: remembering.id,
      remember: (identity) => rememberUser({ ...remembering, state, identity }),
    }),
  };
}

function statusOf({ parts, validTo }: GateStatus): PortalStatus {
  const now = Date.now();
  return {
    parts: parts.map(({ part, status, reason, age }) => ({
      ...{ name: part, state: status, since: now - age * 1000 },
      ...(reason !== undefined && { reason }),
    })),
    ...(validTo !== undefined && { certificateUntil: validTo.getTime() }),
  };
}

import { access } from "./areas/access.ts";
import { accessTokens } from "./areas/access-tokens.ts";
import { audit } from "./areas/audit.ts";
import { availability } from "./areas/availability.ts";
import { contentCache } from "./areas/content-cache.ts";
import { credentials } from "./areas/credentials.ts";
import { directory } from "./areas/directory.ts";
import { forwarding } from "./areas/forwarding.ts";
import { portal } from "./areas/portal.ts";
import { process } from "./areas/process.ts";
import { requests } from "./areas/requests.ts";
import { secrets } from "./areas/secrets.ts";
import { singleSignOn } from "./areas/single-sign-on.ts";
import { tokens } from "./areas/tokens.ts";
import { watching } from "./areas/watching.ts";
import { workers } from "./areas/workers.ts";
import type { Guard } from "./guard.ts";

/**
 * Every guard whose absence somebody could use. `docs/threat-model.md` says what each is for. To add one: copy its text,
 * say what stands in its place without it, name the test that fails then, and the guard in a row of the threat model;
 * `pnpm guards NAME` shows whether it does.
 */
export const guards: readonly Guard[] = [
  ...process,
  ...requests,
  ...forwarding,
  ...contentCache,
  ...access,
  ...credentials,
  ...singleSignOn,
  ...accessTokens,
  ...tokens,
  ...watching,
  ...directory,
  ...availability,
  ...secrets,
  ...audit,
  ...workers,
  ...portal,
];

import { z } from "zod";
import type { Path } from "./path.ts";
import type { MakeAbsolute, Section, Substitute } from "./section.ts";
import { type AccessConfiguration, accessSection } from "./sections/access.ts";
import { type AdminConfiguration, adminSection } from "./sections/admin.ts";
import { type AuditConfiguration, auditSection } from "./sections/audit.ts";
import { type AuthConfiguration, authSection } from "./sections/auth.ts";
import { type EventsConfiguration, eventsSection } from "./sections/events.ts";
import { type KeysConfiguration, keysSection } from "./sections/keys.ts";
import { type LimitsConfiguration, limitsSection } from "./sections/limits.ts";
import { type ListenConfiguration, listenSection } from "./sections/listen.ts";
import { type LogConfiguration, logSection } from "./sections/log.ts";
import { type MaintenanceConfiguration, maintenanceSection } from "./sections/maintenance.ts";
import { type PortalConfiguration, portalSection } from "./sections/portal.ts";
import { type StateConfiguration, stateSection } from "./sections/state.ts";
import { type UpstreamConfiguration, upstreamSection } from "./sections/upstream.ts";
import { type WorkersConfiguration, workersSection } from "./sections/workers.ts";

/** A configuration that has been read: durations in milliseconds, paths absolute, environment variables expanded. */
export interface Configuration {
  readonly listen: ListenConfiguration;
  readonly upstream: UpstreamConfiguration;
  readonly auth: AuthConfiguration;
  readonly keys?: KeysConfiguration;
  readonly access?: AccessConfiguration;
  readonly limits?: LimitsConfiguration;
  readonly log?: LogConfiguration;
  readonly state?: StateConfiguration;
  readonly workers?: WorkersConfiguration;
  readonly admin?: AdminConfiguration;
  readonly audit?: AuditConfiguration;
  readonly events?: EventsConfiguration;
  readonly maintenance?: MaintenanceConfiguration;
  readonly portal?: PortalConfiguration;
}

type SectionName = keyof Configuration;

const sections: { readonly [Name in SectionName]-?: Section<NonNullable<Configuration[Name]>> } = {
  listen: listenSection,
  upstream: upstreamSection,
  auth: authSection,
  keys: keysSection,
  access: accessSection,
  limits: limitsSection,
  log: logSection,
  state: stateSection,
  workers: workersSection,
  admin: adminSection,
  audit: auditSection,
  events: eventsSection,
  maintenance: maintenanceSection,
  portal: portalSection,
};

/** The form of a configuration, as it is written. What its parts mean together is judged when they are built. */
export const configurationSchema: z.ZodType<Configuration> = z.strictObject(
  {
    listen: sections.listen.schema,
    upstream: sections.upstream.schema,
    auth: sections.auth.schema,
    keys: sections.keys.schema
      .describe("The keys that sign tokens; by default a random one, which ends with the process")
      .exactOptional(),
    access: sections.access.schema.exactOptional(),
    limits: sections.limits.schema.exactOptional(),
    log: sections.log.schema.exactOptional(),
    state: sections.state.schema
      .describe("Where failed logins are counted; the memory of the process by default")
      .exactOptional(),
    workers: sections.workers.schema
      .describe("How many processes handle requests; auto is one a core, 1 by default")
      .exactOptional(),
    admin: sections.admin.schema
      .describe("A listener of its own for /livez, /readyz and /metrics; none by default")
      .exactOptional(),
    audit: sections.audit.schema
      .describe("A record of pushes, deletes, denials, failed logins, throttling, reloads and tokens; none by default")
      .exactOptional(),
    events: sections.events.schema
      .describe("Where pushes and deletes are notified of, in the envelope of the distribution's registry")
      .exactOptional(),
    maintenance: sections.maintenance.schema
      .describe("Makes the registry read-only, such as for its garbage collection")
      .exactOptional(),
    portal: sections.portal.schema
      .describe("The pages that registry-gate portal serves beside the registry")
      .exactOptional(),
  },
  "must be a configuration with listen, upstream and auth",
);

/** Substitutes for whatever is required, the innermost first, with paths from the root. */
export const substitutes: readonly Substitute[] = Object.entries(sections).flatMap(([name, section]) =>
  (section.substitutes ?? []).map(({ path, value }) => ({ path: [name, ...path], value })),
);

/** Makes every path in a configuration absolute, but for those of backends, which are left to their plugins. */
export function withAbsolutePaths(configuration: Configuration, absolute: MakeAbsolute): Configuration {
  const { listen, upstream, auth, keys, access, limits, log, state } = configuration;
  const { workers, admin, audit, events, maintenance, portal } = configuration;
  const inSection = <Value>(section: Section<Value>, value: Value): Value =>
    section.withAbsolutePaths?.(value, absolute) ?? value;
  return {
    listen: inSection(sections.listen, listen),
    upstream: inSection(sections.upstream, upstream),
    auth: inSection(sections.auth, auth),
    ...(keys && { keys: inSection(sections.keys, keys) }),
    ...(access && { access: inSection(sections.access, access) }),
    ...(limits && { limits: inSection(sections.limits, limits) }),
    ...(log && { log: inSection(sections.log, log) }),
    ...(state && { state: inSection(sections.state, state) }),
    ...(workers !== undefined && { workers }),
    ...(admin && { admin: inSection(sections.admin, admin) }),
    ...(audit && { audit: inSection(sections.audit, audit) }),
    ...(events && { events: inSection(sections.events, events) }),
    ...(maintenance && { maintenance: inSection(sections.maintenance, maintenance) }),
    ...(portal && { portal: inSection(sections.portal, portal) }),
  };
}

/** Where an option of the middleware stands in a configuration. */
export function toConfigurationPath(path: Path): Path {
  const [option, ...rest] = path;
  for (const [name, { optionKeys = {} }] of Object.entries(sections)) {
    const key = Object.entries(optionKeys).find(([known]) => known === option)?.[1];
    if (key !== undefined) return [name, key, ...rest];
  }
  return path;
}

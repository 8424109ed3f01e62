/**
 * The channels of `node:diagnostics_channel` on which the packages of registry-gate publish what they do. `docs/observing.md`
 * says of each who publishes what, and when.
 */
export const channelNames = [
  "registry-gate:audit:failure",
  "registry-gate:audit:written",
  "registry-gate:certificate:reload",
  "registry-gate:configuration:reload",
  "registry-gate:connection:limit",
  "registry-gate:event:delivery",
  "registry-gate:file:reload",
  "registry-gate:handshake:failed",
  "registry-gate:hash:queue",
  "registry-gate:ldap:connection",
  "registry-gate:ldap:operation",
  "registry-gate:ldap:queue",
  "registry-gate:limit:reached",
  "registry-gate:login:cache",
  "registry-gate:login:judged",
  "registry-gate:login:throttled",
  "registry-gate:maintenance:state",
  "registry-gate:request:finished",
  "registry-gate:request:unreadable",
  "registry-gate:upstream:cache",
  "registry-gate:upstream:connection",
  "registry-gate:upstream:queue",
] as const;

/** One of the list. */
export type ChannelName = (typeof channelNames)[number];

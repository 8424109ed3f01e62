import type { LdapOptions } from "@registry-gate/auth-ldap";
import { onTestFinished } from "vitest";
import { type Relay, startRelay } from "../support/relay.ts";
import type { Slapd } from "../support/slapd.ts";
import { openldap } from "./openldap.ts";

/** Ways to a directory through a relay, with limits of time that a test can wait for. */
export interface Relayed {
  readonly limits: Pick<LdapOptions, "timeout" | "connectTimeout">;
  inClear(relay: Relay): LdapOptions;
  overTls(relay: Relay): LdapOptions;
  overStartTls(relay: Relay): LdapOptions;
}

export function relayed(slapd: Slapd): Relayed {
  const limits = { timeout: 500, connectTimeout: 500 };
  const common = { ...openldap(slapd), ...limits };
  const clear = (relay: Relay): readonly string[] => [`ldap://127.0.0.1:${relay.port}`];
  return {
    limits,
    inClear: (relay) => ({ ...common, urls: clear(relay), allowCleartext: true }),
    overTls: (relay) => ({ ...common, urls: [`ldaps://127.0.0.1:${relay.port}`] }),
    overStartTls: (relay) => ({ ...common, urls: clear(relay), startTLS: true }),
  };
}

/** A relay that is closed after the test. */
export async function relayTo(port: number): Promise<Relay> {
  const relay = await startRelay(port);
  onTestFinished(() => relay.close());
  return relay;
}

/** How often a text was sent. */
export function occurrences(bytes: Buffer, text: string): number {
  return bytes.toString("latin1").split(text).length - 1;
}

export const unavailable: RegExp = /^unavailable: /;

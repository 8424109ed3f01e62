import { InvalidOptionsError } from "@registry-gate/auth";
import { type Channel, openChannel } from "@registry-gate/auth-kit";

/** An attempt to apply the new content of a file. */
export interface Reload {
  /** `refused`: the previous version stays in use. Repeated refusals for the same reason are published once. */
  readonly outcome: "reloaded" | "refused";
  /** How many faults were found; 0 where something else went wrong. */
  readonly faults: number;
}

/** The configuration file, with all that it names. */
export const configurationReload: Channel<Reload> = openChannel("registry-gate:configuration:reload");
/** The certificate of the gateway, its key, and the authority for certificates of clients. */
export const certificateReload: Channel<Reload> = openChannel("registry-gate:certificate:reload");

export function publishReload(channel: Channel<Reload>): void {
  channel.publish(() => ({ outcome: "reloaded", faults: 0 }));
}

export function publishRefusal(channel: Channel<Reload>, error: unknown): void {
  const faults = error instanceof InvalidOptionsError ? error.faults.length : 0;
  channel.publish(() => ({ outcome: "refused", faults }));
}

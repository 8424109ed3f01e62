import type { Fault } from "@registry-gate/auth";
import type { ListenConfiguration } from "../config/configuration.ts";
import { groupId } from "./group-id.ts";

/** What the keys of `listen` mean together that cannot be, as far as it shows without listening. */
export async function listenFaults(listen: ListenConfiguration): Promise<Fault[]> {
  const { address, socketGroup, shared } = listen;
  const faults: Fault[] = [];
  for (const key of ["socketMode", "socketGroup"] as const) {
    if (listen[key] === undefined || "socket" in address) continue;
    const where = "inherited" in address ? "; systemd has SocketMode= and SocketGroup=" : "";
    faults.push({ path: ["listen", key], message: `is for a listen.address of the form unix:/path${where}` });
  }
  if ("socket" in address && socketGroup !== undefined && (await groupId(socketGroup)) === undefined) {
    faults.push({
      path: ["listen", "socketGroup"],
      message: `/etc/group has no group ${socketGroup}; give its number`,
    });
  }
  if ("inherited" in address && shared === true) {
    const message = "is not for a socket that systemd passes: it outlives the gate anyway";
    faults.push({ path: ["listen", "shared"], message });
  }
  return faults;
}

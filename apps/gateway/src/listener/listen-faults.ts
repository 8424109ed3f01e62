import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Fault } from "@registry-gate/auth";
import { formatListenAddress, type ListenAddress } from "../config/address.ts";
import type { ListenConfiguration } from "../config/sections/listen.ts";
import { groupId } from "./unix-socket.ts";

/** Finds contradictions between the keys of `listen`, without listening. */
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
    const message = "cannot be set for a socket that systemd passes, which outlives the gate anyway";
    faults.push({ path: ["listen", "shared"], message });
  }
  return faults;
}

/**
 * What is missing to listen. It is no fault of a configuration that is only checked: a service manager may make the
 * directory when it starts the gate.
 */
export async function missingDirectory(address: ListenAddress): Promise<Fault[]> {
  if (!("socket" in address) || (await isDirectory(dirname(address.socket)))) return [];
  const message = `the directory of ${formatListenAddress(address)} does not exist`;
  return [{ path: ["listen", "address"], message }];
}

/** A directory that cannot be read counts as present: listening then reports the reason. */
async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    return !(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"));
  }
}

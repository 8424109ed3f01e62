import { createReadStream } from "node:fs";
import { isIPv4, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { ipv6Groups, plainAddress } from "@registry-gate/auth-kit";

/**
 * Reads how many bytes wait in the kernel's send queues, by {@link connectionName}; empty queues are left out. The
 * kernel buffers megabytes for one connection, which count as written long before a slow reader receives them.
 *
 * @returns `undefined` where the system does not report it (Linux does: proc_pid_net(5), tx_queue of `net/tcp`).
 */
export async function kernelQueues(): Promise<ReadonlyMap<string, number> | undefined> {
  const queues = new Map<string, number>();
  try {
    await readTable("/proc/self/net/tcp", queues);
    await readTable("/proc/self/net/tcp6", queues).catch(() => {});
    return queues;
  } catch {
    return undefined;
  }
}

const line = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):/;
const mapped = "0000000000000000FFFF0000";

async function readTable(file: string, queues: Map<string, number>): Promise<void> {
  for await (const text of createInterface({ input: createReadStream(file, "latin1") })) {
    const [, localPort, remote = "", remotePort, queue = ""] = line.exec(text) ?? [];
    if (localPort === undefined || queue === "00000000") continue;
    const address = remote.startsWith(mapped) ? remote.slice(mapped.length) : remote;
    queues.set(`${localPort} ${address}:${remotePort}`, Number.parseInt(queue, 16));
  }
}

/** The name of a TCP connection in the kernel's table; `undefined` for a Unix socket and a closed one. */
export function connectionName({ localPort, remoteAddress, remotePort }: Socket): string | undefined {
  if (localPort === undefined || remoteAddress === undefined || remotePort === undefined) return undefined;
  return `${hex(localPort, 4)} ${addressInTable(plainAddress(remoteAddress))}:${hex(remotePort, 4)}`;
}

/** 32-bit words in the machine's byte order, which is assumed to be little-endian. */
function addressInTable(address: string): string {
  const bytes = isIPv4(address)
    ? address.split(".").map(Number)
    : ipv6Groups(address).flatMap((group) => [group >> 8, group & 0xff]);
  let text = "";
  for (let word = 0; word < bytes.length; word += 4) {
    for (let index = word + 3; index >= word; index--) text += hex(bytes[index] ?? 0, 2);
  }
  return text;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

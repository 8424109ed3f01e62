import { setTimeout as delay } from "node:timers/promises";
import { withBlobFiles } from "./blob-files.ts";
import { atMost, type Findings, type Limit, type Row } from "./findings.ts";
import { blobPath, startFixedRegistry } from "./fixed-registry.ts";
import { forgetPeak, ownMemory, peakMemory, residentMemory } from "./process-usage.ts";
import { startGate } from "./proxies.ts";
import { openReaders } from "./readers.ts";
import { mebibyte, type Scale } from "./scale.ts";

/** What a process of the gate may have resident at most, in MiB. */
const most = 100;
const blobBytes = 4 * 2 ** 30;

/** The memory of one process while many clients have a large blob each. */
export function crowds({ quick, certificate, progress }: Scale): Promise<Findings> {
  const seconds = quick ? 2 : 10;
  return withBlobFiles({ app: blobBytes }, async (directory) => {
    const registry = await startFixedRegistry(directory);
    const rows: Row[] = [];
    const limits: Limit[] = [];
    const crowd = [
      { name: "64 transfers", count: 64, stalled: false, secure: false },
      { name: "64 transfers, TLS", count: 64, stalled: false, secure: true },
      { name: "2,000 slow readers", count: 2000, stalled: true, secure: false },
    ];
    try {
      for (const { name, count, stalled, secure } of crowd) {
        progress(name);
        const gate = await startGate({
          registry: registry.url,
          tls: secure ? certificate : undefined,
          sections: {
            // All come from one address and one user.
            limits: { inFlightPerClient: 4000, connectionsPerAddress: 4000 },
            upstream: { url: registry.url, maxConnections: 4000 },
          },
        });
        try {
          const rest = await residentMemory(gate.pid);
          await forgetPeak(gate.pid);
          const readers = await openReaders(gate, { path: blobPath("app"), count, stalled });
          await delay(seconds * 1000);
          const { received } = readers;
          const own = await ownMemory(gate.pid);
          const peak = await peakMemory(gate.pid);
          readers.close();
          rows.push({
            name,
            own: true,
            samples: { peak: [peak], rest: [rest], own: [own], received: [received / mebibyte] },
          });
          limits.push(atMost(most, `MiB at the peak, ${name}`, peak));
        } finally {
          await gate.close();
        }
      }
    } finally {
      await registry.close();
    }
    return {
      id: "memory.crowds",
      title: `Memory of the gate, MiB: many clients with ${blobBytes / 2 ** 30} GiB each, the first ${seconds} s`,
      columns: [
        { id: "peak", label: "peak", digits: 0, better: "less" },
        { id: "rest", label: "before", digits: 0, better: "less" },
        { id: "own", label: "of the process alone", digits: 0, better: "less" },
        { id: "received", label: "MiB received", digits: 0 },
      ],
      rows,
      limits,
    };
  });
}

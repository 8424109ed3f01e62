import { join } from "node:path";
import { withBlobFiles } from "./blob-files.ts";
import type { Contender } from "./contender.ts";
import { atMost, type Findings, type Limit, type Row } from "./findings.ts";
import { blobPath, startFixedRegistry, startSink } from "./fixed-registry.ts";
import { residentMemory } from "./process-usage.ts";
import { startGate } from "./proxies.ts";
import { mebibyte, type Scale } from "./scale.ts";
import { download, type Transfer, upload } from "./transfer.ts";

const sizes = ["small", "large"] as const;
type Size = (typeof sizes)[number];

/** What carrying a body may add to the peak of the gate's memory, however large it is, in MiB. */
const most = 32;

/** Carries one body through the gate. */
type Carry = (gate: Contender, size: Size) => Promise<Transfer>;

/** Whether the memory of the gate depends on the size of what passes. */
export async function memory({ largest, certificate, progress, leavesOut }: Scale): Promise<Findings> {
  const bytes = { small: 10 * mebibyte, large: largest };
  return withBlobFiles(bytes, async (directory) => {
    const registry = await startFixedRegistry(directory);
    const sink = await startSink();
    const send =
      (method: "PUT" | "PATCH"): Carry =>
      (gate, size) =>
        upload(gate, { path: "/v2/app/blobs/uploads/1", file: join(directory, size), bytes: bytes[size], method });
    const receive: Carry = (gate, size) => download(gate, blobPath(size), bytes[size]);
    type Way = readonly [name: string, registry: string, carry: Carry, secure: boolean];
    const shortly: readonly Way[] = [
      ["PATCH in chunks, TLS", sink.url, send("PATCH"), true],
      ["GET", registry.url, receive, false],
    ];
    const further: readonly Way[] = [
      ["PUT with its length", sink.url, send("PUT"), false],
      ["GET, TLS", registry.url, receive, true],
    ];
    const ways = leavesOut ? shortly : [...shortly, ...further];
    const rows: Row[] = [];
    const limits: Limit[] = [];
    try {
      for (const [name, url, carry, secure] of ways) {
        progress(name);
        const gate = await startGate({ registry: url, tls: secure ? certificate : undefined });
        try {
          await carry(gate, "small");
          const small = (await carry(gate, "small")).peak;
          const large = (await carry(gate, "large")).peak;
          const after = await residentMemory(gate.pid);
          rows.push({ name, own: true, samples: { large: [large], small: [small], after: [after] } });
          limits.push(atMost(most, `MiB more for the large one, ${name}`, large - small));
        } finally {
          await gate.close();
        }
      }
    } finally {
      await Promise.all([registry.close(), sink.close()]);
    }
    return {
      id: "memory.sizes",
      title: `Memory of the gate, MiB: bodies of ${bytes.small / mebibyte} and ${bytes.large / mebibyte} MiB`,
      columns: [
        { id: "large", label: "peak, large", digits: 0, better: "less" },
        { id: "small", label: "peak, small", digits: 0, better: "less" },
        { id: "after", label: "after it", digits: 0 },
      ],
      rows,
      limits,
    };
  });
}

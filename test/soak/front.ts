import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { listen } from "../support/listen.ts";

/** A load balancer for TCP before the replicas: each connection goes to the next replica that accepts it. */
export interface Front {
  readonly port: number;
  /** Tears some of the connections down, in the middle of whatever they carry. */
  cut(share: number): number;
  close(): Promise<void>;
}

/** @param ports Of the replicas that can be reached at this moment. */
export async function startFront(ports: () => readonly number[]): Promise<Front> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let turn = 0;

  function carry(client: Socket, upstream: Socket): void {
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const socket of pair) {
      socket.once("close", () => {
        pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      });
    }
  }

  /** The next replica, and the one after it where that refuses. */
  function open(client: Socket, candidates: readonly number[]): void {
    const [port, ...others] = candidates;
    if (port === undefined) return void client.resetAndDestroy();
    const upstream = connect({ host: "127.0.0.1", port });
    const failed = (): void => open(client, others);
    upstream.once("error", failed);
    upstream.once("connect", () => {
      upstream.off("error", failed);
      upstream.on("error", () => {});
      carry(client, upstream);
    });
  }

  const server = createServer((client) => {
    client.on("error", () => {});
    const all = ports();
    const first = all.length === 0 ? 0 : turn++ % all.length;
    open(client, [...all.slice(first), ...all.slice(0, first)]);
  });
  const port = await listen(server);
  return {
    port,
    cut(share) {
      let cut = 0;
      for (const pair of pairs) {
        if (Math.random() >= share) continue;
        cut++;
        for (const socket of pair) socket.resetAndDestroy();
      }
      return cut;
    },
    async close() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

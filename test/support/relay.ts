import { connect, createServer, type Socket } from "node:net";

/** Which way bytes go: `up` to the server, `down` to the client. */
export type Direction = "up" | "down";

/**
 * What becomes of some bytes: these go on instead, `undefined` lets them pass, `"reset"` tears the connection down on
 * both sides, and an empty buffer makes them vanish.
 */
export type Tamper = (bytes: Buffer, direction: Direction, connection: number) => Buffer | "reset" | undefined;

/** A TCP relay that does to bytes what a bad network, or somebody in between, does. */
export interface Relay {
  readonly port: number;
  /** How many connections it has accepted. */
  connections(): number;
  /** Everything that came from clients. */
  sent(): Buffer;
  /** From now on, on connections old and new. */
  tamper(tamper: Tamper): void;
  /** Lets everything pass again. */
  pass(): void;
  /** Tears all connections down. */
  resetAll(): void;
  close(): Promise<void>;
}

/** Bytes vanish, in both directions. */
export const blackHole: Tamper = () => Buffer.alloc(0);

/** What the client sends arrives; what the server answers does not. */
export const halfOpen: Tamper = (_, direction) => (direction === "down" ? Buffer.alloc(0) : undefined);

/** @param localAddress Where its connections to the target come from, where that is of importance. */
export async function startRelay(target: number, host = "127.0.0.1", localAddress?: string): Promise<Relay> {
  let tamper: Tamper = () => undefined;
  let count = 0;
  const sent: Buffer[] = [];
  const pairs = new Set<readonly [Socket, Socket]>();

  const server = createServer((client) => {
    const connection = count++;
    const upstream = connect({ host, port: target, ...(localAddress !== undefined && { localAddress }) });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const reset = (): void => {
      pairs.delete(pair);
      for (const socket of pair) socket.resetAndDestroy();
    };
    const relay = (from: Socket, to: Socket, direction: Direction): void => {
      from.on("data", (bytes: Buffer) => {
        if (direction === "up") sent.push(bytes);
        const instead = tamper(bytes, direction, connection) ?? bytes;
        if (instead === "reset") return reset();
        if (instead.length > 0) to.write(instead);
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        // What came before an orderly end is still on its way.
        if (!from.readableEnded) to.destroy();
        if (client.destroyed && upstream.destroyed) pairs.delete(pair);
      });
    };
    relay(client, upstream, "up");
    relay(upstream, client, "down");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  const resetAll = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    connections: () => count,
    sent: () => Buffer.concat(sent),
    tamper(next) {
      tamper = next;
    },
    pass() {
      tamper = () => undefined;
    },
    resetAll,
    async close() {
      resetAll();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Stands before a server and keeps every byte that was sent to it, as it came. */
export interface RecordingRelay {
  readonly url: string;
  /** What came in since the last time, one text for each connection that said something; a character is a byte. */
  take(): string[];
  /** How many bytes came in since the relay was started. */
  bytes(): number;
  close(): Promise<void>;
}

/** @param address `host:port` of the server that the bytes are for. */
export async function startRecordingRelay(address: string): Promise<RecordingRelay> {
  const { hostname: host, port } = new URL(`http://${address}`);
  const open = new Map<Socket, string>();
  const ended: string[] = [];
  let bytes = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const onward = connect({ host, port: Number(port), noDelay: true });
    open.set(client, "");
    client.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      open.set(client, open.get(client) + chunk.toString("latin1"));
    });
    client.pipe(onward).pipe(client);
    // Whichever side fails takes the other with it; what was said before stays on the record.
    client.on("error", () => onward.destroy());
    onward.on("error", () => client.destroy());
    client.once("close", () => {
      ended.push(open.get(client) ?? "");
      open.delete(client);
      onward.destroy();
    });
    onward.once("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const own = server.address();
  if (own === null || typeof own === "string") throw new TypeError("not listening on a port");
  return {
    url: `http://127.0.0.1:${own.port}`,
    take() {
      const said = [...ended.splice(0), ...open.values()].filter((text) => text !== "");
      for (const socket of open.keys()) open.set(socket, "");
      return said;
    },
    bytes: () => bytes,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open.keys()) socket.destroy();
      await closed;
    },
  };
}

import { connect } from "node:net";

const timeLimit = 30_000;

/**
 * Sends bytes to a server of this machine as they are, and gives back what it sends until it closes the connection.
 * Rejects where it does not close it in time.
 */
export function exchange(port: number, request: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const response = (): string => Buffer.concat(chunks).toString("latin1");
    const socket = connect({ host: "127.0.0.1", port }, () => void socket.write(request));
    socket.setTimeout(timeLimit, () => socket.destroy(new Error(`the server does not end: ${response()}`)));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    // A server that refuses a head may reset the connection with the rest of the request unread.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.on("close", () => resolve(response()));
  });
}

/** The status in the first line of a response. */
export function statusIn(response: string): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(response)?.[1] ?? 0);
}

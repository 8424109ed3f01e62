import { connect, type Socket } from "node:net";
import { hostname } from "node:os";
import { type AuditEventKind, facilityNumber, type SyslogOptions } from "../config/sections/audit.ts";
import type { AuditEvent } from "./audit-event.ts";
import { AppendError, failureReason, type LineDestination } from "./line-destination.ts";

/** Attempts that somebody should look at are warnings (RFC 5424, section 6.2.1). */
const severities: Readonly<Partial<Record<AuditEventKind, number>>> = { denied: 4, "login-failed": 4, throttled: 4 };
const informational = 6;

const connectTimeout = 5000;

/**
 * A syslog server: RFC 5424 over TCP or a stream socket, each message preceded by its length (RFC 6587, section 3.4.1).
 * Node has no datagram sockets of Unix, such as `/dev/log`. The protocol has no acknowledgement: a message that the
 * kernel has taken counts as written.
 */
export function syslogServer(options: SyslogOptions): LineDestination {
  const { address = { host: "127.0.0.1", port: 514 } } = options;
  let socket: Socket | undefined;

  function give(up: Socket): void {
    up.destroy();
    if (socket === up) socket = undefined;
  }

  async function open(): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    const opened = connect("socket" in address ? { path: address.socket } : address);
    const timer = setTimeout(() => opened.destroy(new Error("ETIMEDOUT")), connectTimeout).unref();
    opened.once("connect", () => resolve(opened));
    opened.on("error", (error) => {
      reject(error);
      give(opened);
    });
    // The server closes a connection when it stops: what is written afterwards would be lost without a word.
    opened.once("end", () => give(opened));
    opened.once("close", () => {
      reject(new Error("ECONNRESET"));
      give(opened);
    });
    opened.resume();
    try {
      socket = await promise;
      return socket;
    } finally {
      clearTimeout(timer);
    }
  }

  function write(to: Socket, bytes: Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const closed = (): void => reject(new Error("ECONNRESET"));
    to.once("close", closed);
    to.write(bytes, (error) => {
      to.off("close", closed);
      if (error) reject(error);
      else resolve();
    });
    return promise;
  }

  return {
    async append(lines) {
      try {
        const to = socket ?? (await open());
        if (lines.length > 0)
          await write(to, Buffer.concat(lines.map(({ event, text }) => frame(event, text, options))));
      } catch (error) {
        if (socket !== undefined) give(socket);
        throw new AppendError(failureReason(error), 0);
      }
    },
    sync: () => Promise.resolve(),
    reopen() {},
    close() {
      socket?.end();
      return Promise.resolve();
    },
  };
}

/** A message with its length in front. */
function frame(event: AuditEvent, text: string, options: SyslogOptions): Buffer {
  const { facility = "local0", appName = "registry-gate" } = options;
  const priority = facilityNumber(facility) * 8 + (severities[event.event] ?? informational);
  const host =
    hostname()
      .replaceAll(/[^\x21-\x7e]/g, "")
      .slice(0, 255) || "-";
  const head = `<${priority}>1 ${event.time} ${host} ${appName} ${process.pid} ${event.event} - `;
  const message = Buffer.from(`${head}${text.trimEnd()}`);
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

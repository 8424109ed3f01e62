import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { ConnectionSpec } from "../case/fuzz-case.ts";
import { gateTimeout } from "../gate/fuzzed-gate.ts";
import { writeInChunks } from "../write-in-chunks.ts";
import { readResponses } from "./response-stream.ts";

/** What came of a connection. */
export interface Transcript {
  /** What was read, a character a byte; of very much, the beginning. */
  readonly received: string;
  /** Whether the gate ended the connection. */
  readonly ended: boolean;
  /** Whether everything was written that was to be. */
  readonly sent: boolean;
  /** Whether it was given up because the responses did not come. */
  readonly gaveUp: boolean;
}

export interface Endpoint {
  /** `http://` or `https://`, host and port. */
  readonly url: string;
  /** Of the client. */
  readonly address: string;
}

/** How long a client waits while nothing comes, in milliseconds: far longer than the gate waits for anything. */
const timeLimit = 4 * gateTimeout;
/** Of what is read, in bytes. */
const mostKept = 100_000_000;
/** What is read is looked at with every chunk up to so many bytes. */
const seldom = 100_000;
/**
 * Between two reads of a slow reader, in milliseconds: what the system holds for it is taken in less time than the gate
 * waits for anything.
 */
const slowPause = 4;

/** @param requests The bytes of each. */
export async function runConnection(
  spec: ConnectionSpec,
  requests: readonly string[],
  { url, address }: Endpoint,
): Promise<Transcript> {
  const { hostname, port, protocol } = new URL(url);
  const raw = connect({
    host: hostname,
    port: Number(port),
    localAddress: address,
    allowHalfOpen: true,
    noDelay: true,
  });
  const socket = protocol === "https:" ? connectTls({ socket: raw, rejectUnauthorized: false }) : raw;
  const reader = read(socket, spec.reading);
  raw.on("error", () => {});
  const opened = await opening(socket, protocol === "https:" ? "secureConnect" : "connect");
  if (!opened) {
    raw.destroy();
    return { received: "", ended: true, sent: false, gaveUp: false };
  }
  const methods = spec.requests.map(({ method }) => method);
  const arrived = (): number =>
    readResponses(reader.received(), methods, reader.ended()).responses.filter(({ complete }) => complete).length;
  const sent = await write(spec, requests, socket, (count) => reader.until(() => arrived() >= count, timeLimit));
  const gaveUp = await finish(spec, { socket, raw, reader, arrived, sent, expected: requests.length });
  raw.destroy();
  return { received: reader.received(), ended: reader.ended(), sent, gaveUp };
}

function opening(socket: Socket, event: "connect" | "secureConnect"): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once(event, () => resolve(true));
    socket.once("close", () => resolve(false));
  });
}

/** @returns whether all was sent. */
async function write(
  { schedule, serial, reading, requests: specs }: ConnectionSpec,
  requests: readonly string[],
  socket: Socket,
  answered: (count: number) => Promise<boolean>,
): Promise<boolean> {
  // Who does not read cannot wait for responses.
  const parts = serial && reading !== "none" ? requests : [requests.join("")];
  let left = schedule.cut ?? Number.POSITIVE_INFINITY;
  for (const [index, part] of parts.entries()) {
    await writeInChunks(socket, part.slice(0, left), schedule);
    if (socket.destroyed || part.length > left) return false;
    left -= part.length;
    const orderly = specs[index]?.framing.exact === true;
    if (index < parts.length - 1 && !(await answered(orderly ? index + 1 : 0))) return false;
  }
  return !socket.destroyed;
}

interface Course {
  readonly socket: Socket;
  readonly raw: Socket;
  readonly reader: Reader;
  readonly arrived: () => number;
  readonly sent: boolean;
  readonly expected: number;
}

/** @returns whether responses did not come that should have. */
async function finish({ ending, hold, reading, schedule }: ConnectionSpec, course: Course): Promise<boolean> {
  const { socket, raw, reader, arrived, sent, expected } = course;
  if (ending === "reset") {
    await delay(hold);
    raw.resetAndDestroy();
    return false;
  }
  if (ending === "close" || reading === "none") {
    await delay(hold);
    return false;
  }
  if (!sent && schedule.cut !== null) return false;
  if (ending === "half-close") socket.end();
  const over = await reader.until(() => arrived() >= expected, timeLimit);
  return !over;
}

interface Reader {
  received(): string;
  ended(): boolean;
  /** Whether it came to that, or the connection ended, before nothing came for so long. */
  until(condition: () => boolean, milliseconds: number): Promise<boolean>;
}

function read(socket: Socket, reading: ConnectionSpec["reading"]): Reader {
  let chunks: string[] = [];
  let kept = 0;
  let ended = false;
  const watchers = new Set<() => void>();
  let looking: NodeJS.Timeout | undefined;
  const look = (): void => {
    clearTimeout(looking);
    looking = undefined;
    for (const watcher of watchers) watcher();
  };
  /** Looking at much takes its time, so that is done now and then only. */
  const lookSoon = (): void => {
    if (kept < seldom) look();
    else looking ??= setTimeout(look, 25);
  };
  const end = (): void => {
    ended = true;
    look();
  };
  for (const event of ["end", "close", "error"]) socket.on(event, end);
  if (reading !== "none") {
    socket.on("data", (chunk: Buffer) => {
      if (kept < mostKept) chunks.push(chunk.toString("latin1"));
      kept += chunk.length;
      lookSoon();
      if (reading === "slow") {
        socket.pause();
        setTimeout(() => socket.resume(), slowPause);
      }
    });
  }
  const received = (): string => {
    if (chunks.length > 1) chunks = [chunks.join("")];
    return chunks[0] ?? "";
  };
  return {
    received,
    ended: () => ended,
    until(condition, milliseconds) {
      return new Promise((resolve) => {
        const settle = (value: boolean): void => {
          watchers.delete(watcher);
          clearTimeout(timer);
          resolve(value);
        };
        const watcher = (): void => {
          timer.refresh();
          if (ended || condition()) settle(true);
        };
        const timer = setTimeout(() => settle(false), milliseconds);
        watchers.add(watcher);
        watcher();
      });
    },
  };
}

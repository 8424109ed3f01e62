import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { oneLine } from "../../one-line.ts";
import { printable } from "../../printable.ts";
import type { HealthTarget, SocketPlace } from "./target.ts";

/** What came of a question. */
export interface ProbeResult {
  readonly ready: boolean;
  /** In one line. */
  readonly text: string;
}

const timeLimit = 3000;
/** As much of a response as is shown. */
const longestText = 500;

/** Asks a gateway whether it is ready. Never throws. */
export async function probe(target: HealthTarget): Promise<ProbeResult> {
  if (target.kind === "unknown") return { ready: false, text: target.reason };
  const signal = AbortSignal.timeout(timeLimit);
  try {
    return target.kind === "connect" ? await tryConnect(target.place, signal) : await ask(target, signal);
  } catch (error) {
    return { ready: false, text: signal.aborted ? "no response in time" : reasonOf(error) };
  }
}

function tryConnect(place: SocketPlace, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    const socket = connect("socketPath" in place ? { path: place.socketPath, signal } : { ...place, signal });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve({ ready: true, text: "listening" });
    });
  });
}

function ask(
  { place, path, secure }: Extract<HealthTarget, { readonly kind: "request" }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    // Nothing secret is sent, and the certificate is for another name than this machine's.
    const options = { ...place, path, signal, agent: false, ...(secure && { rejectUnauthorized: false }) };
    const request = secure ? httpsRequest : httpRequest;
    const outgoing = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text = (text + chunk).slice(0, longestText);
      });
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode = 0 } = response;
        const ready = statusCode === 200;
        resolve({ ready, text: printable(oneLine(text)) || `status ${statusCode}` });
      });
    });
    // Without this, Node destroys the connection without any event.
    outgoing.once("upgrade", (_, socket) => {
      socket.destroy();
      reject(new Error("the server switched protocols"));
    });
    outgoing.once("error", reject).end();
  });
}

/** Of a name with several addresses, Node's error has a code alone. */
function reasonOf(error: unknown): string {
  const named = error instanceof Error && error.message === "" && "code" in error;
  return named ? String(error.code) : oneLine(error);
}

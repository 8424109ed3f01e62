import { connect } from "node:net";
import { type Examination, StepEnd } from "./examination.ts";
import type { Exchange } from "./exchange.ts";
import type { FindingId } from "./finding.ts";

/** How long a connection may take, in milliseconds. */
const timeLimit = 3_000;

/**
 * Where the next request of an upload goes. A Location that leads clients astray is reported, and the path is then followed at
 * the gate's own address, so that no password is sent elsewhere.
 *
 * @returns path and query.
 * @throws {StepEnd} where there is no Location.
 */
export async function followLocation(report: Examination["report"], response: Exchange, base: URL): Promise<string> {
  const { headers, method, url, status } = response;
  const { location } = headers;
  const request = `${method} ${url.pathname} gets ${status}`;
  if (location === undefined || !URL.canParse(location, url)) {
    report("location-missing", `${request} ${location === undefined ? "without" : "with an invalid"} Location`);
    throw new StepEnd("no Location");
  }
  const target = new URL(location, url);
  const shown = `${target.origin}${target.pathname}`;
  const fault = faultOf(target, base);
  if (fault !== undefined) {
    const reached = (await opens(target)) ? "" : ", which cannot be reached from here";
    report(fault, `${request} with Location: ${shown}, and clients come to ${base.origin}${reached}`);
  }
  if (!target.pathname.startsWith("/v2/")) {
    report("location-outside", `${request} with Location: ${shown}`);
    throw new StepEnd("Location leads outside of /v2/");
  }
  return `${target.pathname}${target.search}`;
}

function faultOf(target: URL, base: URL): FindingId | undefined {
  if (target.hostname !== base.hostname) return "location-host";
  if (target.protocol !== base.protocol) return "location-scheme";
  return target.port === base.port ? undefined : "location-port";
}

async function opens({ hostname, port, protocol }: URL): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const usual = protocol === "https:" ? 443 : 80;
  const socket = connect({ host: hostname.replace(/^\[(.*)\]$/, "$1"), port: port === "" ? usual : Number(port) });
  socket.setTimeout(timeLimit, () => resolve(false));
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { basic } from "../support/basic.ts";
import { makeCertificate } from "../support/certificate.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { startSlapd } from "../support/slapd.ts";
import { startUpstream } from "../support/upstream.ts";

/** A gate with everything that can be measured, and clients of every kind. */
export interface GateUnderLoad {
  /** `host:port` of its admin listener. */
  readonly admin: string;
  /** Lets clients of every kind come, for some seconds. */
  load(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

export async function startGateUnderLoad(): Promise<GateUnderLoad> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of closing.splice(0).reverse()) await each();
  };
  try {
    const slapd = await startSlapd({ logged: false });
    closing.push(() => slapd.close());
    const upstream = await startUpstream((incoming, response) => {
      incoming.resume();
      response.setHeader("docker-distribution-api-version", "registry/2.0");
      const url = incoming.url ?? "";
      if (url.includes("/missing/")) response.writeHead(404);
      if (url.includes("/broken/")) response.destroy();
      else if (url.includes("/slow/")) setTimeout(() => response.end("{}"), 300);
      else incoming.on("end", () => response.end(JSON.stringify({ layers: "x".repeat(500) })));
    });
    closing.push(() => upstream.close());
    const gate = await startWith(slapd.url, upstream.url);
    closing.push(() => gate.close());
    const { address } = await gate.logged(({ event }) => event === "admin listening");
    return {
      admin: String(address),
      async load(milliseconds) {
        const loaded = loadFor(gate, milliseconds);
        // A reload that is rejected, and one that is applied.
        await gate.configure(configuration(slapd.url, upstream.url, { lgo: {} }));
        await gate.logged(({ event }) => event === "reload refused");
        await gate.configure(configuration(slapd.url, upstream.url, { limits: { inFlightPerClient: 7 } }));
        await loaded;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function configuration(ldapUrl: string, upstreamUrl: string, changes: object = {}): object {
  return {
    listen: { address: "127.0.0.1:0", tls: { certificate: "server.crt", key: "server.key" } },
    admin: { address: "127.0.0.1:0", drainDelay: "0s" },
    upstream: { url: upstreamUrl, maxConnections: 3 },
    limits: { inFlightPerClient: 8 },
    state: { file: "state.db" },
    auth: {
      challenge: "bearer",
      cache: { ttl: "1s" },
      throttle: { perUserAndAddress: "2/1m", perAddress: "1000/1m" },
      backends: [
        { type: "htpasswd", file: "htpasswd" },
        {
          ...{ type: "ldap", urls: [ldapUrl], bindDN: "cn=gate,dc=example,dc=org", bindPasswordFile: "ldap-password" },
          ...{ searchBase: "ou=people,dc=example,dc=org", allowCleartext: true },
        },
      ],
    },
    ...changes,
  };
}

async function startWith(ldapUrl: string, upstreamUrl: string): Promise<RunningGate> {
  const { certificate, key } = await makeCertificate();
  return startGate({
    configuration: configuration(ldapUrl, upstreamUrl),
    files: {
      htpasswd: await passwordFile({ carol: "carolpw" }),
      "ldap-password": "gatepw",
      "server.crt": await readFile(certificate, "utf8"),
      "server.key": await readFile(key, "utf8"),
    },
  });
}

/** Statuses are not looked at: refusals are wanted too. */
async function loadFor(gate: RunningGate, milliseconds: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  const end = Date.now() + milliseconds;
  const host = new URL(gate.url).host;
  const send = (path: string, headers: Record<string, string>, body?: string): Promise<void> =>
    new Promise((resolve) => {
      const method = body === undefined ? "GET" : "POST";
      const type = body === undefined ? {} : { "content-type": "application/octet-stream" };
      const sent = request(`${gate.url}${path}`, { agent, method, headers: { ...headers, ...type } }, (response) => {
        response.resume().once("close", resolve);
      });
      sent.once("error", () => resolve());
      sent.end(body);
    });
  const client = async (act: () => Promise<unknown>): Promise<void> => {
    while (Date.now() < end) {
      await act();
      await delay(20);
    }
  };
  const [alice, carol] = [basic("alice", "alicepw"), basic("carol", "carolpw")];
  const upload = `/v2/app/blobs/uploads/?digest=sha256:${"0".repeat(64)}`;
  await Promise.all([
    client(() => send("/v2/app/manifests/latest", alice)),
    client(() => send("/v2/missing/manifests/latest", carol)),
    client(() => send("/v2/broken/manifests/latest", carol)),
    client(() => send(upload, carol, "x".repeat(5000))),
    client(() => send("/v2/app/tags/list", basic("mallory", "wrong"))),
    client(() => send(`/v2/auth?service=${host}&scope=repository:app:pull`, alice)),
    client(() => send("/Elsewhere", {})),
    client(() => Promise.all(Array.from({ length: 12 }, () => send("/v2/slow/manifests/latest", carol)))),
    client(() => speakPlainly(gate.address)),
    client(() => askWhetherReady(gate)),
  ]);
  agent.destroy();
}

/** What is no TLS. */
async function speakPlainly(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.end("\u0016\u0003\u0001 no handshake\r\n\r\n");
  socket.resume();
  await once(socket, "close");
}

async function askWhetherReady(gate: RunningGate): Promise<void> {
  const { address } = await gate.logged(({ event }) => event === "admin listening");
  await fetch(`http://${address}/readyz`).then((response) => response.text());
  await delay(500);
}

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { addressSet } from "@registry-gate/auth-kit";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../test/support/certificate.ts";
import type { ListenerHandlers } from "../src/listener/listener.ts";
import type { ListenerSetup } from "../src/listener/listener-setup.ts";
import { type ListenerSlot, openListenerSlot } from "../src/listener/listener-slot.ts";
import { loadTls, type TlsIdentity } from "../src/tls/tls-identity.ts";

/** That of the last request, which the tests write. */
let response: ServerResponse | undefined;
const handlers: ListenerHandlers = {
  checkHealth: () => false,
  handle(_, opened) {
    response = opened;
    response.write("begun");
  },
  unreadable: () => {},
  pressure: () => {},
  handshakeFailed: () => {},
  plain: () => {},
};
const plain: ListenerSetup = {
  place: { address: { host: "127.0.0.1", port: 0 } },
  tls: undefined,
  limits: {
    inactivity: 60_000,
    headersTimeout: 30_000,
    maxConnections: 100,
    connectionsPerAddress: 100,
    trustedProxies: addressSet([]),
  },
};

async function open(setup: ListenerSetup): Promise<ListenerSlot> {
  const slot = await openListenerSlot(setup, handlers);
  onTestFinished(async () => {
    const closed = slot.close();
    slot.cut();
    await closed;
    await slot.departed();
  });
  return slot;
}

function portOf({ name }: ListenerSlot): number {
  return Number(name.slice(name.lastIndexOf(":") + 1));
}

async function certificateAt(slot: ListenerSlot): Promise<PeerCertificate> {
  const socket = connectTls({ host: "127.0.0.1", port: portOf(slot), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

async function makeIdentity(): Promise<TlsIdentity> {
  return loadTls(await makeCertificate());
}

test("keeps its socket while only limits and the certificate change", async () => {
  const [first, second] = [await makeIdentity(), await makeIdentity()];
  const slot = await open({ ...plain, tls: first });
  const { name } = slot;
  const before = await certificateAt(slot);
  expect(await slot.change({ ...plain, tls: second, limits: { ...plain.limits, maxConnections: 5 } })).toBe(false);
  expect(slot.name).toBe(name);
  expect((await certificateAt(slot)).fingerprint256).not.toBe(before.fingerprint256);
});

test("keeps the connections of the address that it leaves, until they are cut", async () => {
  const slot = await open(plain);
  const client = connectTcp(portOf(slot), "127.0.0.1");
  client.on("error", () => {});
  client.write("GET / HTTP/1.1\r\nHost: r\r\n\r\n");
  await once(client, "data");
  expect(await slot.change({ ...plain, place: { address: { host: "127.0.0.2", port: 0 } } })).toBe(true);
  expect(slot.name).toMatch(/^127\.0\.0\.2:/);
  response?.write("and still there");
  expect(String(await once(client, "data"))).toContain("and still there");
  const closed = once(client, "close");
  slot.cut();
  await closed;
  await slot.departed();
});

test("listens again with the certificate that it had last, where another listener cannot be opened", async () => {
  const [first, second] = [await makeIdentity(), await makeIdentity()];
  const slot = await open({ ...plain, tls: first });
  slot.setTls(second);
  const { fingerprint256 } = await certificateAt(slot);
  const broken: TlsIdentity = { ...first, clientAuth: "optional", options: { cert: "none", key: "none" } };
  await expect(slot.change({ ...plain, tls: broken })).rejects.toThrow();
  expect((await certificateAt(slot)).fingerprint256).toBe(fingerprint256);
});
